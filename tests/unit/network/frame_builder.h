/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_FRAME_BUILDER_H
#define TESTS_FRAME_BUILDER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes put one behind the other in network order, for tests. */
struct frame {
	uint8_t bytes[65536];
	size_t size;
};

static inline void put_bytes(struct frame *frame, const void *bytes, size_t size)
{
	memcpy(frame->bytes + frame->size, bytes, size);
	frame->size += size;
}

static inline void put_zeros(struct frame *frame, size_t size)
{
	memset(frame->bytes + frame->size, 0, size);
	frame->size += size;
}

static inline void put_u8(struct frame *frame, unsigned int number)
{
	frame->bytes[frame->size++] = (uint8_t)number;
}

static inline void put_be16(struct frame *frame, unsigned int number)
{
	put_u8(frame, number >> 8);
	put_u8(frame, number);
}

static inline void put_be32(struct frame *frame, uint32_t number)
{
	put_be16(frame, number >> 16);
	put_be16(frame, number & 0xffff);
}

static inline void set_be16(struct frame *frame, size_t at, size_t number)
{
	frame->bytes[at] = (uint8_t)(number >> 8);
	frame->bytes[at + 1] = (uint8_t)number;
}

#endif
