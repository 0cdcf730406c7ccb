/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "program/file_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/clock.h"

static int64_t nanoseconds(const struct statx_timestamp *time)
{
	return time->tv_sec * (int64_t)NS_PER_S + time->tv_nsec;
}

int file_facts_at(int directory, const char *path, struct file_facts *ret_facts)
{
	struct statx status;
	int flags = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT | (*path ? 0 : AT_EMPTY_PATH);

	if (statx(directory, path, flags, STATX_BASIC_STATS | STATX_MNT_ID, &status) < 0)
		return -errno;
	memset(ret_facts, 0, sizeof(*ret_facts));
	ret_facts->key = (struct file_key){
		.device = makedev(status.stx_dev_major, status.stx_dev_minor),
		.inode = status.stx_ino,
		.changed_ns = nanoseconds(&status.stx_ctime),
		.modified_ns = nanoseconds(&status.stx_mtime),
		.size = (int64_t)status.stx_size,
	};
	if (status.stx_mask & STATX_MNT_ID)
		ret_facts->mount = status.stx_mnt_id;
	ret_facts->mode = status.stx_mode;
	ret_facts->owner = status.stx_uid;
	return 0;
}
