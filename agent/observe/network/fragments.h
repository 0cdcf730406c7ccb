/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_FRAGMENTS_H
#define OBSERVE_NETWORK_FRAGMENTS_H

#include <stdint.h>

#include "observe/network/packet.h"

/*
 * Fragmented UDP datagrams from port 53, put together. Fragments that overlap with other content
 * end the whole datagram (as RFC 5722 demands for any overlap): nobody can replace a part of an
 * answer.
 */
struct fragments;

/* Returns 0 or -ENOMEM. */
int fragments_new(struct fragments **ret_fragments);
void fragments_free(struct fragments *fragments);

/* Takes a fragment of a UDP datagram. The caller sends only later fragments of datagrams that may
 * be of interest, and every first one. Returns 0 and the whole datagram as if it had come in one
 * packet (its payload is valid until the next call), -EAGAIN when more is to come or it is of no
 * interest, -EBADMSG when it was given up. */
int fragments_add(struct fragments *fragments, const struct packet *packet, uint64_t now_ns,
		  struct packet *ret_packet);

uint64_t fragments_evicted(const struct fragments *fragments);

#endif
