/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_FLOWS_H
#define OBSERVE_NETWORK_FLOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "observe/network/packet.h"

/*
 * Five-tuples and who opened them. TCP and SCTP say so themselves (SYN, INIT); of UDP the first
 * datagram decides; ICMP counts per type and peer, any other protocol per peer.
 */
struct flows;

/* All bytes of it are compared. Ports are zero where the protocol has none; so is the local address
 * of ICMP and other protocols, where the peer alone counts. */
struct flow_key {
	struct ip_address local;
	struct ip_address remote;
	uint8_t protocol;
	uint8_t icmp_type;
	uint16_t local_port;
	uint16_t remote_port;
};

enum flow_event {
	FLOW_GOES_ON, /* nothing that was not known */
	FLOW_STARTS,  /* the station opens it */
	FLOW_ANSWERS, /* the station answers what a peer opened, for the first time */
};

struct flow_step {
	enum flow_event event;
	struct flow_key key;
	uint64_t id; /* with FLOW_STARTS: unique */
	/* With FLOW_STARTS: where the peer asked what this answers from another port or address,
	 * else 0: a query to a group, or to one port that is answered from another. */
	uint16_t asked_port;
	bool serves; /* answers a query to a group from the very port that was asked */
};

/* Returns 0 or -ENOMEM. */
int flows_new(struct flows **ret_flows);
void flows_free(struct flows *flows);

/* A packet that the station sent. to_group: to a multicast or broadcast address. */
void flows_sent(struct flows *flows, const struct packet *packet, bool to_group, uint64_t now_ns,
		struct flow_step *ret_step);

/* A packet that reached the station, or (to_group) may have. */
void flows_received(struct flows *flows, const struct packet *packet, bool to_group,
		    uint64_t now_ns);

/* The key of a packet with ports, from the station's side. */
void flow_key_make(const struct packet *packet, bool sent, struct flow_key *ret_key);

uint64_t flows_evicted(const struct flows *flows);

#endif
