/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/waiting.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "base/map.h"
#include "observe/network/hello.h"
#include "observe/network/limits.h"
#include "observe/network/streams.h"

struct entry {
	uint64_t id;
	uint64_t since_ns;
	uint16_t asked_port;
	uint8_t datagrams; /* QUIC: seen so far */
	struct stream stream;
};

struct waiting {
	struct map *entries; /* only peeked at: the first is the one that waits longest */
	waiting_settle_fn settle;
	void *context;
	uint64_t evicted;
};

static void dispose_entry(void *value, void *context)
{
	struct entry *entry = value;

	(void)context;
	stream_free(&entry->stream);
}

int waiting_new(waiting_settle_fn settle, void *context, struct waiting **ret_waiting)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));

	if (!waiting)
		return -ENOMEM;
	if (map_new(&waiting->entries, WAITING_MAX, sizeof(struct entry), dispose_entry, NULL) <
	    0) {
		free(waiting);
		return -ENOMEM;
	}
	waiting->settle = settle;
	waiting->context = context;
	*ret_waiting = waiting;
	return 0;
}

void waiting_free(struct waiting *waiting)
{
	if (!waiting)
		return;
	map_free(waiting->entries);
	free(waiting);
}

/* The entry is gone before anyone hears of it, so that whatever they do finds the table whole. */
static void settle(struct waiting *waiting, struct entry *entry, const char *name,
		   enum name_source source)
{
	struct flow_key key = *(const struct flow_key *)map_key(entry, NULL);
	uint64_t id = entry->id;
	uint16_t asked_port = entry->asked_port;

	map_remove_value(waiting->entries, entry);
	waiting->settle(waiting->context, &key, id, asked_port, name, source);
}

static void read_segment(struct waiting *waiting, struct entry *entry)
{
	char name[NAME_SIZE];
	size_t size;
	const uint8_t *bytes = stream_bytes(&entry->stream, &size);
	int result;

	if (size == 0)
		return;
	result = tls_server_name(bytes, size, name);
	if (result == 0)
		settle(waiting, entry, name, NAME_FROM_TLS);
	else if (result != -EAGAIN || stream_is_full(&entry->stream))
		settle(waiting, entry, "", NAME_FROM_NONE);
}

/* A later Initial may bring what the first did not (after a Retry, or when the hello came in
 * parts); anything else says that the handshake has gone on. */
static void read_datagram(struct waiting *waiting, struct entry *entry, const struct packet *packet)
{
	bool initial = quic_is_initial(packet->payload, packet->payload_size);
	char name[NAME_SIZE];

	entry->datagrams++;
	if (initial && quic_server_name(packet->payload, packet->payload_size, name) == 0)
		settle(waiting, entry, name, NAME_FROM_QUIC);
	else if (!initial || entry->datagrams == QUIC_DATAGRAMS_MAX)
		settle(waiting, entry, "", NAME_FROM_NONE);
}

void waiting_add(struct waiting *waiting, const struct flow_step *step, const struct packet *packet,
		 uint64_t now_ns)
{
	struct entry *entry;

	if (map_count(waiting->entries) == WAITING_MAX) {
		waiting->evicted++;
		settle(waiting, map_next(waiting->entries, NULL), "", NAME_FROM_NONE);
	}
	entry = map_add(waiting->entries, &step->key, sizeof(step->key));
	if (!entry) {
		waiting->settle(waiting->context, &step->key, step->id, step->asked_port, "",
				NAME_FROM_NONE);
		return;
	}
	entry->id = step->id;
	entry->since_ns = now_ns;
	entry->asked_port = step->asked_port;
	if (packet->protocol == IPPROTO_TCP) {
		stream_begin(&entry->stream, packet);
		read_segment(waiting, entry);
	} else {
		read_datagram(waiting, entry, packet);
	}
}

static struct entry *find(const struct waiting *waiting, const struct packet *packet, bool sent)
{
	struct flow_key key;

	if (map_count(waiting->entries) == 0)
		return NULL;
	flow_key_make(packet, sent, &key);
	return map_peek(waiting->entries, &key, sizeof(key));
}

void waiting_sent(struct waiting *waiting, const struct packet *packet)
{
	struct entry *entry = find(waiting, packet, true);
	uint64_t id;

	if (!entry)
		return;
	if (packet->protocol != IPPROTO_TCP) {
		read_datagram(waiting, entry, packet);
		return;
	}
	id = entry->id;
	stream_add(&entry->stream, packet);
	read_segment(waiting, entry);
	if (!(packet->tcp_flags & (TH_FIN | TH_RST)))
		return;
	entry = find(waiting, packet, true);
	if (entry && entry->id == id)
		settle(waiting, entry, "", NAME_FROM_NONE);
}

void waiting_received_end(struct waiting *waiting, const struct packet *packet)
{
	struct entry *entry = find(waiting, packet, false);

	if (entry)
		settle(waiting, entry, "", NAME_FROM_NONE);
}

void waiting_settle(struct waiting *waiting, const struct flow_key *key)
{
	struct entry *entry = map_peek(waiting->entries, key, sizeof(*key));

	if (entry)
		settle(waiting, entry, "", NAME_FROM_NONE);
}

void waiting_expire(struct waiting *waiting, uint64_t now_ns)
{
	struct entry *entry;

	while ((entry = map_next(waiting->entries, NULL)) &&
	       now_ns >= entry->since_ns + NAME_WAIT_NS)
		settle(waiting, entry, "", NAME_FROM_NONE);
}

void waiting_settle_all(struct waiting *waiting)
{
	struct entry *entry;

	while ((entry = map_next(waiting->entries, NULL)))
		settle(waiting, entry, "", NAME_FROM_NONE);
}

bool waiting_is_empty(const struct waiting *waiting)
{
	return map_count(waiting->entries) == 0;
}

uint64_t waiting_evicted(const struct waiting *waiting)
{
	return waiting->evicted;
}
