/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_DNS_STREAM_IN_H
#define GATE_DNS_STREAM_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gate/dns_streams.h"
#include "observe/network/assembly.h"

/* An answer that was complete before. */
struct past_answer {
	uint32_t begin;	 /* sequence numbers of its bytes, … */
	uint32_t judged; /* … those of the segment that completed it, where it begins before, */
	uint32_t end;	 /* and of the first byte behind it */
	struct held *record; /* NULL: it could not be read */
};

/* The answers of one connection; see dns_streams.h. Zero-initialised has not begun. */
struct dns_stream_in {
	bool begun;
	uint32_t base; /* sequence number of the first message that is not complete */
	struct assembly assembly;
	size_t past_count; /* all in all; the ring has the last of them */
	struct past_answer past[DNS_STREAMS_HISTORY];
};

void dns_stream_in_begin(struct dns_stream_in *stream, uint32_t first);
void dns_stream_in_free(struct dns_stream_in *stream);

/* Whether any byte came since it began. */
bool dns_stream_in_is_used(const struct dns_stream_in *stream);

/* Bytes at a sequence number, at least one. */
size_t dns_stream_in_take(struct dns_stream_in *stream, uint32_t sequence, const uint8_t *bytes,
			  size_t size, struct held held[HELD_PER_PACKET]);

#endif
