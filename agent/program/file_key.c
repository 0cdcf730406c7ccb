/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "program/file_key.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <string.h>
#include <sys/sysmacros.h>

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

static int64_t nanoseconds_of(const struct statx_timestamp *time)
{
	return time->tv_sec * (int64_t)NS_PER_S + time->tv_nsec;
}

int file_key_at(int directory, const char *path, struct file_key *ret_key)
{
	struct statx status;
	int flags = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT | (*path ? 0 : AT_EMPTY_PATH);

	if (statx(directory, path, flags, STATX_BASIC_STATS, &status) < 0)
		return -errno;
	*ret_key = (struct file_key){
		.device = makedev(status.stx_dev_major, status.stx_dev_minor),
		.inode = status.stx_ino,
		.changed_ns = nanoseconds_of(&status.stx_ctime),
		.modified_ns = nanoseconds_of(&status.stx_mtime),
		.size = (int64_t)status.stx_size,
	};
	return 0;
}

bool file_key_equal(const struct file_key *a, const struct file_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}
