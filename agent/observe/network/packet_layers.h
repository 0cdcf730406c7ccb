/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_PACKET_LAYERS_H
#define OBSERVE_NETWORK_PACKET_LAYERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observe/network/packet.h"

/* Inside the packet decoder: each layer takes its header off the front and hands on the rest. */

/* What is left of a frame. captured is never more than wire. */
struct rest {
	const uint8_t *at;
	size_t captured;
	size_t wire;
};

/* Steps over a header; false when it was not captured whole. */
static inline bool rest_skip(struct rest *rest, size_t size)
{
	if (size > rest->captured)
		return false;
	rest->at += size;
	rest->captured -= size;
	rest->wire -= size;
	return true;
}

/* A header says how much belongs to it: what lies behind is padding. A claim beyond the frame is
 * believed too (a capture may be cut without saying so), the difference was not captured. */
static inline void rest_set_wire(struct rest *rest, size_t size)
{
	rest->wire = size;
	if (rest->captured > size)
		rest->captured = size;
}

static inline void rest_to_payload(const struct rest *rest, struct packet *packet)
{
	packet->payload = rest->at;
	packet->payload_size = rest->captured;
	packet->payload_missing = rest->wire - rest->captured;
}

/* All return 0 or -EBADMSG. */
int packet_ethertype_decode(uint16_t ethertype, struct rest rest, struct packet *packet);
int packet_ipv4_decode(struct rest rest, struct packet *packet);
int packet_ipv6_decode(struct rest rest, struct packet *packet);
/* packet->protocol says which. */
int packet_transport_decode(struct rest rest, struct packet *packet);

#endif
