/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_WAITING_H
#define OBSERVE_NETWORK_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observe/network/flows.h"
#include "observe/observation.h"

/*
 * Flows to public peers that no DNS answer has named, waiting for the name that the client itself
 * says first: TLS over TCP, QUIC over UDP. Each ends exactly once through the settle function: with
 * a name; or without when the first bytes are something else, the flow ends, NAME_WAIT_NS pass, or
 * it is pushed out by newer ones.
 */
struct waiting;

/* name: "" without one. Called from inside the functions below. */
typedef void (*waiting_settle_fn)(void *context, const struct flow_key *key, uint64_t id,
				  uint16_t asked_port, const char *name, enum name_source source);

/* Returns 0 or -ENOMEM. */
int waiting_new(waiting_settle_fn settle, void *context, struct waiting **ret_waiting);

/* Without settling; waiting_settle_all() first. */
void waiting_free(struct waiting *waiting);

/* A flow that starts with this packet (TCP: the SYN; UDP: the first datagram). When memory is short
 * it is settled at once. */
void waiting_add(struct waiting *waiting, const struct flow_step *step, const struct packet *packet,
		 uint64_t now_ns);

/* A packet that the station sent, TCP without SYN or a further UDP datagram; of no effect when its
 * flow does not wait. */
void waiting_sent(struct waiting *waiting, const struct packet *packet);

/* A segment with FIN or RST from the peer. */
void waiting_received_end(struct waiting *waiting, const struct packet *packet);

/* The flow is about to begin anew with the same five-tuple. */
void waiting_settle(struct waiting *waiting, const struct flow_key *key);

void waiting_expire(struct waiting *waiting, uint64_t now_ns);
void waiting_settle_all(struct waiting *waiting);

bool waiting_is_empty(const struct waiting *waiting);
uint64_t waiting_evicted(const struct waiting *waiting);

#endif
