/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_QUIC_FRAMES_H
#define OBSERVE_NETWORK_QUIC_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "observe/network/hello.h"

/* The CRYPTO stream of one datagram's Initial packets: pieces in any order. */
struct quic_stream {
	uint8_t bytes[CLIENT_HELLO_MAX];
	bool present[CLIENT_HELLO_MAX];
};

/* A variable-length integer, RFC 9000 section 16. */
bool quic_take_number(struct bytes *bytes, uint64_t *ret_number);

/* Collects the CRYPTO frames of a decrypted Initial, RFC 9000 section 12.4. Pieces beyond
 * CLIENT_HELLO_MAX are left out. Returns 0 or -EBADMSG. */
int quic_frames_collect(const uint8_t *payload, size_t size, struct quic_stream *stream);

/* The name in the stream's beginning, as far as that goes without a gap: errors of hello.h. */
int quic_stream_name(const struct quic_stream *stream, char ret_name[NAME_SIZE]);

#endif
