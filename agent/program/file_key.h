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
/* Of a file that may lie on a filesystem whose server need not answer: what the kernel knows of it,
 * without asking. As statx(2) has them; "" means directory itself. Returns 0 or negative errno. */
int file_key_at(int directory, const char *path, struct file_key *ret_key);

bool file_key_equal(const struct file_key *a, const struct file_key *b);

#endif
