/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_HELLO_BUILDER_H
#define TESTS_HELLO_BUILDER_H

#include "frame_builder.h"

/* A server_name extension with one name of a type. */
static inline void put_server_name(struct frame *frame, unsigned int type, const char *name,
				   size_t size)
{
	put_be16(frame, 0);
	put_be16(frame, (unsigned int)size + 5);
	put_be16(frame, (unsigned int)size + 3);
	put_u8(frame, type);
	put_be16(frame, (unsigned int)size);
	put_bytes(frame, name, size);
}

/* An extension of a type nobody knows (RFC 8701) with some data. */
static inline void put_grease(struct frame *frame, unsigned int size)
{
	put_be16(frame, 0x1a1a);
	put_be16(frame, size);
	put_zeros(frame, size);
}

/* The handshake message around extensions. */
static inline void put_client_hello(struct frame *frame, const struct frame *extensions)
{
	put_u8(frame, 1);
	put_u8(frame, 0);
	put_be16(frame, 2 + 32 + 1 + 8 + 2 + 4 + 2 + 2 + (unsigned int)extensions->size);
	put_be16(frame, 0x0303);
	put_zeros(frame, 32);
	put_u8(frame, 8); /* session id */
	put_zeros(frame, 8);
	put_be16(frame, 4); /* cipher suites */
	put_be32(frame, 0x0a0a1301);
	put_be16(frame, 0x0100); /* compression: none */
	put_be16(frame, (unsigned int)extensions->size);
	put_bytes(frame, extensions->bytes, extensions->size);
}

/* The record layer around some of it. */
static inline void put_record(struct frame *frame, const uint8_t *bytes, size_t size)
{
	put_be16(frame, 0x1603);
	put_u8(frame, 1);
	put_be16(frame, (unsigned int)size);
	put_bytes(frame, bytes, size);
}

#endif
