/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/socket_listeners.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/map.h"

#define SOCKETS_LIMIT	4096
#define DELIVERED_LIMIT 4096
#define CHOOSERS_LIMIT	256

/* A listener that lives is mentioned again after this long, and its program looked up again: a
 * service manager may have handed the socket on. */
#define LIFE_SIGN_NS (60 * NS_PER_S)

/* When to look again for a program that was not found; the kernel's own sockets never have one. */
static const uint64_t retries_ns[] = {0, NS_PER_S, 10 * NS_PER_S, LIFE_SIGN_NS};

/*
 * Resolvers choose random ports for their questions themselves (RFC 5452 section 9.2), outside the
 * kernel's range for clients. A program that opened this many UDP ports, one after the other, each
 * for less than the time below, is taken for such a client: its further ports must live that long.
 */
#define CHOOSER_PORTS	4
#define CHOOSER_LIFE_NS (10 * NS_PER_S)
#define FIRST_FREE_PORT 1024 /* below, choosing takes privileges and has a meaning */

struct known_socket {
	struct socket_record record;
	uint64_t first_ns;
	uint64_t search_ns; /* when the program is looked for next */
	uint64_t deliver_ns;
	unsigned int attempts;
	bool present; /* in this round */
	bool left_out;
	char *program;
};

struct chooser {
	uint16_t last_port;
	unsigned int ports;
};

struct socket_listeners {
	struct socket_listeners_config config;
	struct map *sockets;   /* protocol, inode and address → struct known_socket */
	struct map *delivered; /* what was said, in bytes → when, CLOCK_MONOTONIC */
	struct map *choosers;  /* program ("": unknown) → struct chooser */
};

struct socket_key {
	uint32_t inode;
	uint16_t port;
	uint8_t protocol;
	uint8_t family;
	struct ip_address address; /* SCTP sockets have several */
	uint8_t padding[3];
};

static void dispose_socket(void *value, void *context)
{
	(void)context;
	free(((struct known_socket *)value)->program);
}

int socket_listeners_new(const struct socket_listeners_config *config,
			 struct socket_listeners **ret_listeners)
{
	struct socket_listeners *listeners = calloc(1, sizeof(*listeners));

	if (!listeners)
		return -ENOMEM;
	listeners->config = *config;
	if (map_new(&listeners->sockets, SOCKETS_LIMIT, sizeof(struct known_socket), dispose_socket,
		    NULL) < 0 ||
	    map_new(&listeners->delivered, DELIVERED_LIMIT, sizeof(uint64_t), NULL, NULL) < 0 ||
	    map_new(&listeners->choosers, CHOOSERS_LIMIT, sizeof(struct chooser), NULL, NULL) < 0) {
		socket_listeners_free(listeners);
		return -ENOMEM;
	}
	*ret_listeners = listeners;
	return 0;
}

void socket_listeners_free(struct socket_listeners *listeners)
{
	if (!listeners)
		return;
	map_free(listeners->sockets);
	map_free(listeners->delivered);
	map_free(listeners->choosers);
	free(listeners);
}

int socket_listeners_add(struct socket_listeners *listeners, const struct socket_record *record,
			 uint64_t now_ns)
{
	struct socket_key key;
	struct known_socket *socket;

	memset(&key, 0, sizeof(key));
	key.inode = record->inode;
	key.port = record->local_port;
	key.protocol = record->protocol;
	key.family = record->family;
	key.address = record->local;
	socket = map_add(listeners->sockets, &key, sizeof(key));
	if (!socket)
		return -ENOMEM;
	if (!socket->first_ns) {
		socket->first_ns = now_ns;
		socket->search_ns = now_ns;
		socket->deliver_ns = now_ns;
	}
	socket->record = *record;
	socket->present = true;
	return 0;
}

static bool takes_ipv4(const struct socket_listeners *listeners, const struct socket_record *record)
{
	if (record->family != 6 || record->local.family != 6 ||
	    ip_scope(&record->local) != ADDRESS_UNSPECIFIED)
		return false;
	if (record->v6_only_known)
		return !record->v6_only;
	if (listeners->config.v6_only_default)
		return false;
	/* the default, unless IPv4 has a listener of its own on that port */
	for (struct known_socket *other = map_next(listeners->sockets, NULL); other;
	     other = map_next(listeners->sockets, other))
		if (other->present && other->record.family == 4 &&
		    other->record.protocol == record->protocol &&
		    other->record.local_port == record->local_port &&
		    ip_scope(&other->record.local) == ADDRESS_UNSPECIFIED)
			return false;
	return true;
}

/* Says it, unless that was said less than a minute ago. Returns the time of the next life sign. */
static int deliver(struct socket_listeners *listeners, const struct socket_record *record,
		   const char *program, uint64_t now_ns, uint64_t *ret_next_ns)
{
	struct observation observation = {
		.kind = OBSERVATION_LISTENER,
		.time_ns = clock_realtime_ns(),
		.listener =
			{
				.protocol = record->protocol,
				.address = record->local,
				.dual_stack = takes_ipv4(listeners, record),
				.port = record->local_port,
				.program = program,
			},
	};
	struct {
		uint16_t port;
		uint8_t protocol;
		uint8_t dual_stack;
		struct ip_address address;
		char program[4096];
	} said;
	uint64_t *time_ns;

	memset(&said, 0, sizeof(said));
	said.port = record->local_port;
	said.protocol = record->protocol;
	said.dual_stack = observation.listener.dual_stack;
	said.address = record->local;
	strncpy(said.program, program ? program : "", sizeof(said.program) - 1);
	time_ns = map_add(listeners->delivered, &said,
			  offsetof(__typeof__(said), program) + strlen(said.program));
	if (!time_ns)
		return -ENOMEM;
	if (!*time_ns || now_ns - *time_ns >= LIFE_SIGN_NS) {
		*time_ns = now_ns;
		listeners->config.deliver(listeners->config.context, &observation);
	}
	*ret_next_ns = *time_ns + LIFE_SIGN_NS;
	return 0;
}

static bool is_chosen_port(const struct socket_record *record)
{
	return (record->protocol == IPPROTO_UDP || record->protocol == IPPROTO_UDPLITE) &&
	       record->local_port >= FIRST_FREE_PORT;
}

static bool is_chooser(struct socket_listeners *listeners, const char *program)
{
	const char *key = program ? program : "";
	const struct chooser *chooser = map_find(listeners->choosers, key, strlen(key) + 1);

	return chooser && chooser->ports >= CHOOSER_PORTS;
}

static int count_chooser(struct socket_listeners *listeners, const struct socket_record *record,
			 const char *program)
{
	const char *key = program ? program : "";
	struct chooser *chooser = map_add(listeners->choosers, key, strlen(key) + 1);

	if (!chooser)
		return -ENOMEM;
	if (chooser->last_port != record->local_port && chooser->ports < CHOOSER_PORTS)
		chooser->ports++;
	chooser->last_port = record->local_port;
	return 0;
}

static bool is_known(const struct socket_listeners *listeners, uint64_t cookie)
{
	for (struct known_socket *socket = map_next(listeners->sockets, NULL); socket;
	     socket = map_next(listeners->sockets, socket))
		if (socket->record.cookie == cookie)
			return true;
	return false;
}

int socket_listeners_closed(struct socket_listeners *listeners, const struct socket_record *record,
			    uint64_t now_ns)
{
	uint64_t next_ns;
	int result;

	/* whether an IPv6 socket took IPv4 too is not told about a closed one: claim nothing */
	if (record->family == 6 && record->local.family == 6 && !record->v6_only_known &&
	    ip_scope(&record->local) == ADDRESS_UNSPECIFIED)
		return 0;
	if (is_known(listeners, record->cookie))
		return 0;
	if (is_chosen_port(record)) {
		result = count_chooser(listeners, record, NULL);
		if (result < 0 || is_chooser(listeners, NULL))
			return result;
	}
	return deliver(listeners, record, NULL, now_ns, &next_ns);
}

static int remove_gone(struct socket_listeners *listeners, const uint8_t *protocols,
		       uint64_t now_ns)
{
	struct known_socket *socket = map_next(listeners->sockets, NULL);
	int result = 0;

	while (socket) {
		struct known_socket *next = map_next(listeners->sockets, socket);

		if (!socket->present && strchr((const char *)protocols, socket->record.protocol)) {
			if (is_chosen_port(&socket->record) && !socket->left_out &&
			    now_ns - socket->first_ns < CHOOSER_LIFE_NS)
				result = count_chooser(listeners, &socket->record, socket->program);
			map_remove_value(listeners->sockets, socket);
		}
		socket = next;
	}
	return result;
}

static bool search_is_due(const struct known_socket *socket, uint64_t now_ns)
{
	return socket->present && socket->record.inode && now_ns >= socket->search_ns;
}

static void take_answer(struct known_socket *socket, struct socket_search *search, uint64_t now_ns)
{
	size_t last = array_length(retries_ns) - 1;
	size_t wait = search->program || socket->attempts > last ? last : socket->attempts;

	socket->attempts++;
	socket->search_ns = now_ns + retries_ns[wait];
	socket->left_out = search->left_out;
	if (socket->program && search->program && strcmp(socket->program, search->program) == 0)
		return;
	/* a search that found nobody takes no program away that was seen before */
	if (!search->program && socket->program)
		return;
	free(socket->program);
	socket->program = take_pointer(search->program);
	socket->deliver_ns = now_ns;
}

static int search_programs(struct socket_listeners *listeners, uint64_t now_ns)
{
	_cleanup_(freep) struct socket_search *searches = NULL;
	_cleanup_(freep) struct known_socket **sockets = NULL;
	struct known_socket *socket;
	size_t count = 0;
	size_t place = 0;
	int result;

	for (socket = map_next(listeners->sockets, NULL); socket;
	     socket = map_next(listeners->sockets, socket))
		count += search_is_due(socket, now_ns);
	if (!count)
		return 0;
	searches = calloc(count, sizeof(*searches));
	sockets = calloc(count, sizeof(struct known_socket *));
	if (!searches || !sockets)
		return -ENOMEM;
	for (socket = map_next(listeners->sockets, NULL); socket;
	     socket = map_next(listeners->sockets, socket)) {
		if (!search_is_due(socket, now_ns))
			continue;
		sockets[place] = socket;
		searches[place++].inode = socket->record.inode;
	}
	result = socket_holder_find(listeners->config.holder, SOCKET_SEARCH_THOROUGH, searches,
				    place);
	for (size_t i = 0; i < place; i++) {
		take_answer(sockets[i], &searches[i], now_ns);
		free(searches[i].program);
	}
	return result;
}

int socket_listeners_end_round(struct socket_listeners *listeners, const uint8_t *protocols,
			       uint64_t now_ns)
{
	int result = remove_gone(listeners, protocols, now_ns);

	if (!result)
		result = search_programs(listeners, now_ns);
	for (struct known_socket *socket = map_next(listeners->sockets, NULL); socket && !result;
	     socket = map_next(listeners->sockets, socket)) {
		bool held_back = is_chosen_port(&socket->record) &&
				 now_ns - socket->first_ns < CHOOSER_LIFE_NS &&
				 is_chooser(listeners, socket->program);

		if (socket->present && !socket->left_out && !held_back &&
		    now_ns >= socket->deliver_ns)
			result = deliver(listeners, &socket->record, socket->program, now_ns,
					 &socket->deliver_ns);
	}
	for (struct known_socket *socket = map_next(listeners->sockets, NULL); socket;
	     socket = map_next(listeners->sockets, socket))
		if (strchr((const char *)protocols, socket->record.protocol))
			socket->present = false;
	return result;
}
