/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "program/file_key.h"

#include <string.h>

#include "base/clock.h"

static int64_t nanoseconds(const struct timespec *time)
{
	return (int64_t)time->tv_sec * (int64_t)NS_PER_S + time->tv_nsec;
}

struct file_key file_key_of(const struct stat *status)
{
	return (struct file_key){
		.device = status->st_dev,
		.inode = status->st_ino,
		.changed_ns = nanoseconds(&status->st_ctim),
		.modified_ns = nanoseconds(&status->st_mtim),
		.size = status->st_size,
	};
}

bool file_key_equal(const struct file_key *a, const struct file_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}
