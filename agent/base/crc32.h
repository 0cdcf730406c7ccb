/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_CRC32_H
#define BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of IEEE 802.3 and gzip (RFC 1952 section 8). Finds accidents, not forgery. Start
 * with crc 0; the result may be fed in again with the bytes that follow. */
uint32_t crc32_update(uint32_t crc, const void *bytes, size_t size);

#endif
