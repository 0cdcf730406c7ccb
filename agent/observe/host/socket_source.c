/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/socket_source.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "observe/host/socket_proc.h"
#include "observe/host/socket_query.h"

static const struct {
	uint8_t protocol;
	enum socket_proc_table table;
} protocols[] = {
	{IPPROTO_TCP, SOCKET_PROC_TCP},
	{IPPROTO_UDP, SOCKET_PROC_UDP},
	{IPPROTO_UDPLITE, SOCKET_PROC_UDPLITE},
	{IPPROTO_SCTP, SOCKET_PROC_SCTP},
};

struct socket_source {
	struct socket_query *query; /* NULL: no sock_diag */
	bool from_proc[array_length(protocols)];
};

static void ignore_record(void *context, const struct socket_record *record)
{
	(void)context;
	(void)record;
}

int socket_source_new(enum socket_source_kind kind, struct socket_source **ret_source)
{
	struct socket_source *source = calloc(1, sizeof(*source));

	if (!source)
		return -ENOMEM;
	if (kind == SOCKET_SOURCE_BEST && socket_query_new(&source->query) == -ENOMEM) {
		free(source);
		return -ENOMEM;
	}
	for (size_t i = 0; i < array_length(protocols); i++)
		source->from_proc[i] =
			!source->query || socket_query_waiting(source->query, protocols[i].protocol,
							       ignore_record, NULL) == -ENOENT;
	*ret_source = source;
	return 0;
}

void socket_source_free(struct socket_source *source)
{
	if (!source)
		return;
	socket_query_free(source->query);
	free(source);
}

/* The protocol's place in the table, or -ENOENT. */
static int place_of(uint8_t protocol)
{
	for (size_t i = 0; i < array_length(protocols); i++)
		if (protocols[i].protocol == protocol)
			return (int)i;
	return -ENOENT;
}

int socket_source_waiting(struct socket_source *source, uint8_t protocol, socket_record_fn found,
			  void *context)
{
	int place = place_of(protocol);

	if (place < 0)
		return place;
	if (source->from_proc[place])
		return socket_proc_read(protocols[place].table, found, context);
	return socket_query_waiting(source->query, protocol, found, context);
}

struct wanted {
	const struct ip_address *local;
	const struct ip_address *remote;
	uint16_t local_port;
	uint16_t remote_port;
	bool found;
	bool connected;
	struct socket_record record;
};

static void compare_record(void *context, const struct socket_record *record)
{
	struct wanted *wanted = context;
	bool connected = record->remote_port != 0;

	if (record->local_port != wanted->local_port || wanted->connected)
		return;
	if (ip_scope(&record->local) != ADDRESS_UNSPECIFIED &&
	    !ip_equal(&record->local, wanted->local))
		return;
	if (connected && (record->remote_port != wanted->remote_port ||
			  !ip_equal(&record->remote, wanted->remote)))
		return;
	wanted->found = true;
	wanted->connected = connected;
	wanted->record = *record;
}

int socket_source_exact(struct socket_source *source, uint8_t protocol,
			const struct ip_address *local, uint16_t local_port,
			const struct ip_address *remote, uint16_t remote_port,
			struct socket_record *ret_record)
{
	struct wanted wanted = {
		.local = local,
		.remote = remote,
		.local_port = local_port,
		.remote_port = remote_port,
	};
	int place = place_of(protocol);
	int result;

	if (place < 0)
		return place;
	if (!source->from_proc[place])
		return socket_query_exact(source->query, protocol, local, local_port, remote,
					  remote_port, ret_record);
	result = socket_proc_read(protocols[place].table, compare_record, &wanted);
	if (result < 0)
		return result;
	if (!wanted.found)
		return -ENOENT;
	*ret_record = wanted.record;
	return 0;
}

bool socket_source_is_slow(const struct socket_source *source)
{
	return source->from_proc[0] || source->from_proc[1];
}
