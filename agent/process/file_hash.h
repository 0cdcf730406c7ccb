/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROCESS_FILE_HASH_H
#define PROCESS_FILE_HASH_H

#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>

#include "program/file_key.h"

/*
 * SHA-256 of an open file, a slice at a time. The state is plain memory: whoever has it goes on
 * where another one stopped.
 */
struct file_hash {
	struct file_key key; /* of what is being hashed */
	uint64_t offset;
	uint32_t attempt; /* from the start, because the file changed meanwhile */
	uint8_t settled;  /* when it began: nobody wrote, and the last change was long ago */
	uint8_t begun;
	crypto_hash_sha256_state state;
};

#define FILE_HASH_SLICE (256U * 1024)

enum file_hash_step {
	FILE_HASH_MORE,
	FILE_HASH_DONE,
	FILE_HASH_UNREADABLE, /* an error, or it never stood still */
	FILE_HASH_WAITS,      /* not in memory yet: the kernel was asked to read it */
};

/* One slice; buffer: FILE_HASH_SLICE bytes. wait: read from the disk if need be. DONE:
 * ret_sha256, and *ret_settled: the key stands for this content until it changes. */
enum file_hash_step file_hash_advance(struct file_hash *hash, int fd, void *buffer, bool wait,
				      uint8_t ret_sha256[32], bool *ret_settled);

/* Whether nobody has the file open for writing, as far as the filesystem can tell. */
bool file_has_no_writers(int fd);

/* The same, and nobody can until file_release() (which must follow soon: who wants to write waits).
 */
bool file_hold(int fd);
void file_release(int fd);

#endif
