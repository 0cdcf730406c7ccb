/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/queries.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "observe/network/limits.h"

struct query_key {
	struct ip_address asker; /* family 0: the station, which may change its address (DHCP) */
	uint8_t protocol;
	uint16_t port; /* of the asker's */
};

struct query {
	uint64_t time_ns;
	uint16_t asked_port;
};

struct queries {
	struct map *table;
};

int queries_new(struct queries **ret_queries)
{
	struct queries *queries = calloc(1, sizeof(*queries));

	if (!queries)
		return -ENOMEM;
	if (map_new(&queries->table, QUERIES_MAX, sizeof(struct query), NULL, NULL) < 0) {
		free(queries);
		return -ENOMEM;
	}
	*ret_queries = queries;
	return 0;
}

void queries_free(struct queries *queries)
{
	if (!queries)
		return;
	map_free(queries->table);
	free(queries);
}

static void make_key(struct query_key *key, const struct ip_address *asker, uint8_t protocol,
		     uint16_t port)
{
	memset(key, 0, sizeof(*key));
	if (asker)
		key->asker = *asker;
	key->protocol = protocol;
	key->port = port;
}

void queries_add(struct queries *queries, const struct packet *packet, bool by_station,
		 uint64_t now_ns)
{
	struct query_key key;
	struct query *query;

	/* Nobody asks from a system port: what comes from one is a late answer, or a probe. */
	if (!by_station && packet->source_port < SYSTEM_PORTS_END)
		return;
	make_key(&key, by_station ? NULL : &packet->source, packet->protocol, packet->source_port);
	query = map_add(queries->table, &key, sizeof(key));
	if (!query)
		return;
	query->time_ns = now_ns;
	query->asked_port = packet->destination_port;
}

uint16_t queries_asked_port(struct queries *queries, const struct packet *packet, bool by_station,
			    uint64_t now_ns)
{
	struct query_key key;
	const struct query *query;

	make_key(&key, by_station ? NULL : &packet->destination, packet->protocol,
		 packet->destination_port);
	query = map_find(queries->table, &key, sizeof(key));
	if (!query || query->time_ns > now_ns + QUERY_ANSWER_NS ||
	    now_ns > query->time_ns + QUERY_ANSWER_NS)
		return 0;
	return query->asked_port;
}

uint64_t queries_evicted(const struct queries *queries)
{
	return map_evicted(queries->table);
}
