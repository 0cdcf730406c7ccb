/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_STREAMS_H
#define OBSERVE_NETWORK_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observe/network/assembly.h"
#include "observe/network/packet.h"

/*
 * The first STREAM_SIZE bytes of one direction of a TCP connection whose SYN was seen, in order.
 * Zero-initialised has not begun.
 */
struct stream {
	bool begun;
	uint32_t base; /* sequence number of the first byte kept */
	struct assembly assembly;
};

/* syn: the segment that opens this direction. Its sequence number counts the SYN itself (RFC 9293,
 * 3.4); data in it (RFC 7413) belongs to the stream. */
void stream_begin(struct stream *stream, const struct packet *syn);

/* Any segment of this direction. What lies outside the window or contradicts earlier bytes is left
 * out. */
void stream_add(struct stream *stream, const struct packet *segment);

/* The bytes without a gap so far; valid until the next call with this stream. */
const uint8_t *stream_bytes(const struct stream *stream, size_t *ret_size);

/* Whether no further byte can be kept without stream_consume(). */
bool stream_is_full(const struct stream *stream);

/* Drops bytes that were dealt with. */
void stream_consume(struct stream *stream, size_t size);

void stream_free(struct stream *stream);

#endif
