/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROGRAM_FILE_KEY_H
#define PROGRAM_FILE_KEY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* One state of one file's content, as far as the filesystem's times can be trusted. The change time
 * is part of it because the modification time can be set back. Compares with memcmp. */
struct file_key {
	uint64_t device;
	uint64_t inode;
	int64_t changed_ns;
	int64_t modified_ns;
	int64_t size;
};

struct file_key file_key_of(const struct stat *status);

bool file_key_equal(const struct file_key *a, const struct file_key *b);

#endif
