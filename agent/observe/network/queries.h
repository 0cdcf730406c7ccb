/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_QUERIES_H
#define OBSERVE_NETWORK_QUERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "observe/network/packet.h"

/*
 * UDP datagrams whose answers come in flows of their own: queries to a group (SSDP, mDNS), or to
 * one port that another answers for (TFTP). What is sent within QUERY_ANSWER_NS to where one came
 * from is taken for its answer.
 */
struct queries;

/* Returns 0 or -ENOMEM. */
int queries_new(struct queries **ret_queries);
void queries_free(struct queries *queries);

/* Remembers a datagram as a query. by_station: the station asks, so only the port counts. */
void queries_add(struct queries *queries, const struct packet *packet, bool by_station,
		 uint64_t now_ns);

/* The port that was asked by whom this datagram goes to, or 0 when it answers nothing. */
uint16_t queries_asked_port(struct queries *queries, const struct packet *packet, bool by_station,
			    uint64_t now_ns);

uint64_t queries_evicted(const struct queries *queries);

#endif
