/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_DNS_STREAM_OUT_H
#define GATE_DNS_STREAM_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gate/dns_streams.h"

/* A question that was there before. */
struct past_question {
	uint32_t begin; /* sequence number of its length prefix */
	uint32_t size;	/* with the prefix */
	uint64_t digest;
};

/* The questions of one connection; see dns_streams.h. Zero-initialised has not begun. */
struct dns_stream_out {
	bool begun;
	uint32_t first; /* sequence number of the first byte */
	uint32_t next;	/* of the first message that was not there yet */
	size_t prefix_size;
	uint8_t prefix[2]; /* of that message, as far as it went alone */
	size_t past_count; /* all in all; the ring has the last of them */
	struct past_question past[DNS_STREAMS_HISTORY];
};

#define DNS_DIGEST_KEY_SIZE 16

void dns_stream_out_begin(struct dns_stream_out *stream, uint32_t first);

/* Bytes at a sequence number, at least one. key: of the digests, random. */
size_t dns_stream_out_take(struct dns_stream_out *stream, const uint8_t key[DNS_DIGEST_KEY_SIZE],
			   uint32_t sequence, const uint8_t *bytes, size_t size,
			   struct held held[HELD_PER_PACKET]);

#endif
