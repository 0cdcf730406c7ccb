/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_FILE_SHA256_H
#define DAEMON_FILE_SHA256_H

#include <stdint.h>

/* The checksum of what an open descriptor holds, from its beginning, at most limit bytes: -EFBIG
 * beyond, also where it grows meanwhile; else read(2)'s errors. */
int descriptor_sha256(int fd, uint64_t limit, uint8_t ret_sha256[32]);

/* The same of a regular file. Returns 0, -EFBIG, -EISDIR
 * (not a regular file) or open(2)'s and read(2)'s errors. */
int file_sha256(const char *path, uint64_t limit, uint8_t ret_sha256[32]);

#endif
