/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers in network byte order at any alignment. */

static inline uint16_t be16_at(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline uint32_t be24_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 16 | be16_at(bytes + 1);
}

static inline uint32_t be32_at(const uint8_t *bytes)
{
	return (uint32_t)be16_at(bytes) << 16 | be16_at(bytes + 2);
}

/* What is left to read of a message. Taking more than that fails and takes nothing. */
struct bytes {
	const uint8_t *at;
	size_t left;
};

static inline bool bytes_take(struct bytes *bytes, size_t size, const uint8_t **ret_taken)
{
	if (size > bytes->left)
		return false;
	*ret_taken = bytes->at;
	bytes->at += size;
	bytes->left -= size;
	return true;
}

static inline bool bytes_take_part(struct bytes *bytes, size_t size, struct bytes *ret_part)
{
	const uint8_t *taken;

	if (!bytes_take(bytes, size, &taken))
		return false;
	*ret_part = (struct bytes){taken, size};
	return true;
}

static inline bool bytes_take_u8(struct bytes *bytes, uint8_t *ret_number)
{
	const uint8_t *taken;

	if (!bytes_take(bytes, 1, &taken))
		return false;
	*ret_number = taken[0];
	return true;
}

static inline bool bytes_take_be16(struct bytes *bytes, uint16_t *ret_number)
{
	const uint8_t *taken;

	if (!bytes_take(bytes, 2, &taken))
		return false;
	*ret_number = be16_at(taken);
	return true;
}

static inline bool bytes_take_be32(struct bytes *bytes, uint32_t *ret_number)
{
	const uint8_t *taken;

	if (!bytes_take(bytes, 4, &taken))
		return false;
	*ret_number = be32_at(taken);
	return true;
}

#endif
