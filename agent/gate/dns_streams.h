/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_DNS_STREAMS_H
#define GATE_DNS_STREAMS_H

#include <stddef.h>
#include <stdint.h>

#include "gate/held.h"
#include "observe/network/packet.h"

/*
 * DNS over TCP (RFC 1035 section 4.2.2, RFC 7766) in segments that wait in the names' queue, of
 * connections whose SYN was seen. What a segment means depends on bytes only, never on what became
 * of those before it, so that one that was dropped and comes again is judged again.
 *
 * Out: a question must not leave in pieces, as it has to be judged before its first byte goes. A
 * segment begins where a message begins, or behind a length prefix that went alone, and holds whole
 * questions, and perhaps the length prefix of the next. A question that comes again has to be the
 * same, or the resolver might put together another one from both.
 *
 * In: a segment is judged with each message that it completes or that it repeats a part of; one
 * that completes none is harmless. Segments may come in any order; those that lie too far ahead,
 * or contradict what was there, are unreadable.
 */
struct dns_streams;

#define DNS_STREAMS_LIMIT   128 /* connections; the one that was silent longest makes room */
#define DNS_STREAMS_AHEAD   (128u * 1024)   /* bytes of answers kept at most of each */
#define DNS_STREAMS_HISTORY HELD_PER_PACKET /* messages of each direction that may come again */

/* 0 or negative errno. */
int dns_streams_new(struct dns_streams **ret_streams);
void dns_streams_free(struct dns_streams *streams);

/*
 * One TCP segment, to a resolver (HELD_OUT) or from one (HELD_IN). held: filled in with kind and
 * message for each record, where everything else of held[0] is taken over into all of them; there
 * is always at least one. Returns how many.
 */
size_t dns_streams_segment(struct dns_streams *streams, const struct packet *segment,
			   struct held held[HELD_PER_PACKET]);

#endif
