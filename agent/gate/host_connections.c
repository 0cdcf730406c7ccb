/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/host_connections.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "observe/host/socket_query.h"

#define LISTENERS_MAX 4096

struct listing {
	struct socket_record *listeners; /* sorted by port */
	size_t listener_count;
	size_t listener_capacity;
	struct tracked_connection *connections;
	size_t count;
	size_t capacity;
	int failure;
};

static void listing_clear(struct listing *listing)
{
	free(listing->listeners);
	free(listing->connections);
}

static void on_listener(void *context, const struct socket_record *record)
{
	struct listing *listing = context;

	if (listing->failure < 0 || listing->listener_count == LISTENERS_MAX)
		return;
	listing->failure = array_reserve(&listing->listeners, &listing->listener_capacity,
					 listing->listener_count, sizeof(*listing->listeners));
	if (listing->failure == 0)
		listing->listeners[listing->listener_count++] = *record;
}

static int compare_ports(const void *a, const void *b)
{
	const struct socket_record *left = a;
	const struct socket_record *right = b;

	return (int)left->local_port - (int)right->local_port;
}

static bool is_any(const struct ip_address *address)
{
	static const uint8_t none[sizeof(address->bytes)];

	return memcmp(address->bytes, none, sizeof(none)) == 0;
}

static bool takes(const struct socket_record *listener, const struct socket_record *connected)
{
	/* one for any address of IPv6 may have taken those of IPv4 too */
	return ip_equal(&listener->local, &connected->local) ||
	       (is_any(&listener->local) &&
		(listener->local.family == connected->local.family ||
		 (listener->family == 6 && !(listener->v6_only_known && listener->v6_only))));
}

static bool is_of_listener(const struct listing *listing, const struct socket_record *connected)
{
	size_t low = 0;
	size_t high = listing->listener_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (listing->listeners[middle].local_port < connected->local_port)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < listing->listener_count &&
	       listing->listeners[low].local_port == connected->local_port;
	     low++)
		if (takes(&listing->listeners[low], connected))
			return true;
	return false;
}

static void on_connected(void *context, const struct socket_record *record)
{
	struct listing *listing = context;
	bool inwards;

	if (listing->failure < 0 || listing->count == HOST_CONNECTIONS_MAX ||
	    ip_scope(&record->local) == ADDRESS_LOOPBACK ||
	    ip_scope(&record->remote) == ADDRESS_LOOPBACK || record->remote_port == 0 ||
	    record->local.family != record->remote.family)
		return;
	listing->failure = array_reserve(&listing->connections, &listing->capacity, listing->count,
					 sizeof(*listing->connections));
	if (listing->failure < 0)
		return;
	inwards = is_of_listener(listing, record);
	listing->connections[listing->count++] = (struct tracked_connection){
		.source = inwards ? record->remote : record->local,
		.destination = inwards ? record->local : record->remote,
		.protocol = IPPROTO_TCP,
		.source_port = inwards ? record->remote_port : record->local_port,
		.destination_port = inwards ? record->local_port : record->remote_port,
	};
}

static int fill(struct socket_query *query, struct listing *listing)
{
	int result = socket_query_waiting(query, IPPROTO_TCP, on_listener, listing);

	if (result == 0)
		result = listing->failure;
	if (result < 0)
		return result;
	if (listing->listener_count)
		qsort(listing->listeners, listing->listener_count, sizeof(*listing->listeners),
		      compare_ports);
	result = socket_query_connected(query, on_connected, listing);
	return result < 0 ? result : listing->failure;
}

int host_connections_list(struct tracked_connection **ret_connections, size_t *ret_count)
{
	_cleanup_(listing_clear) struct listing listing = {0};
	struct socket_query *query;
	int result = socket_query_new(&query);

	if (result < 0)
		return result;
	result = fill(query, &listing);
	socket_query_free(query);
	if (result < 0)
		return result;
	*ret_connections = listing.connections;
	*ret_count = listing.count;
	listing.connections = NULL;
	return 0;
}
