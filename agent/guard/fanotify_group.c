/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/fanotify_group.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>

#include "base/cleanup.h"
#include "observe/host/mount_table.h"

/* Where its queue ends a kernel permits: without a limit it waits. */
#define GROUP_FLAGS (FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS)

/* O_NONBLOCK: the kernel opens the file for us when the event is read, and a FIFO would make us
 * wait for its other end. */
#define FILE_FLAGS (O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NONBLOCK | O_NOATIME)

struct mode_flags {
	unsigned int class;
	uint64_t open;
	uint64_t exec;
};

static const struct mode_flags modes[] = {
	[GUARD_ENFORCE] = {FAN_CLASS_CONTENT, FAN_OPEN_PERM, FAN_OPEN_EXEC_PERM},
	[GUARD_AUDIT] = {FAN_CLASS_NOTIF, FAN_OPEN, FAN_OPEN_EXEC},
};

/* Flags and mask are looked at before the place, so that a place that is none tells whether they
 * are known (do_fanotify_mark in the kernel's fs/notify/fanotify/fanotify_user.c). */
static bool takes(int fd, unsigned int flags, uint64_t mask)
{
	return fanotify_mark(fd, FAN_MARK_ADD | flags, mask, -1, NULL) < 0 && errno == EBADF;
}

static int open_group(enum guard_mode mode, struct error *error)
{
	int fd = fanotify_init(modes[mode].class | GROUP_FLAGS, FILE_FLAGS);

	if (fd >= 0)
		return fd;
	switch (errno) {
	case EPERM:
		return error_set(error, EPERM, "fanotify: needs root (CAP_SYS_ADMIN)");
	case ENOSYS:
		return error_set(error, EOPNOTSUPP, "fanotify: kernel without CONFIG_FANOTIFY");
	case EINVAL:
		return error_set(error, EOPNOTSUPP,
				 "fanotify: kernel without "
				 "CONFIG_FANOTIFY_ACCESS_PERMISSIONS");
	case EMFILE:
		return error_set(error, EMFILE,
				 "fanotify: too many groups or open files; raise "
				 "fs.fanotify.max_user_groups or the descriptor limit");
	default:
		return error_set(error, errno, "fanotify: %s", strerror(errno));
	}
}

/* "fanotify flags:%x event-flags:%x" in the descriptor's own words (proc(5)) */
static int check_inherited(enum guard_mode mode, int fd, struct error *error)
{
	static const unsigned int classes = FAN_CLASS_CONTENT | FAN_CLASS_PRE_CONTENT;
	_cleanup_(fclosep) FILE *stream = NULL;
	char line[256];
	char path[64];
	unsigned int flags;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	stream = fopen(path, "re");
	while (stream && fgets(line, sizeof(line), stream)) {
		if (sscanf(line, "fanotify flags:%x", &flags) != 1)
			continue;
		if ((flags & classes) != modes[mode].class)
			return error_set(error, EINVAL,
					 "inherited fanotify group: is of another mode");
		if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 ||
		    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return error_set(error, errno, "inherited fanotify group: %s",
					 strerror(errno));
		return 0;
	}
	return error_set(error, EINVAL, "inherited descriptor %d: is no fanotify group", fd);
}

int fanotify_group_open(enum guard_mode mode, int inherited, struct fanotify_group *ret_group,
			struct error *error)
{
	struct fanotify_group group = {.fd = inherited};
	_cleanup_(closep) int opened = -1;

	if (inherited >= 0) {
		int result = check_inherited(mode, inherited, error);

		if (result < 0)
			return result;
	} else {
		group.fd = opened = open_group(mode, error);
		if (opened < 0)
			return opened;
	}
	if (!takes(group.fd, 0, modes[mode].open))
		return error_set(error, EOPNOTSUPP,
				 "fanotify: kernel without CONFIG_FANOTIFY_ACCESS_PERMISSIONS");
	group.mask = modes[mode].open;
	group.exec_events = takes(group.fd, 0, modes[mode].exec);
	if (group.exec_events)
		group.exec_mask = modes[mode].exec;
	group.mask |= group.exec_mask;
	group.superblocks = takes(group.fd, FAN_MARK_FILESYSTEM, group.mask);
	(void)take_fd(&opened);
	*ret_group = group;
	return 0;
}

static int add_mark(const struct fanotify_group *group, uint64_t mask, unsigned int flags,
		    const char *path)
{
	if (fanotify_mark(group->fd, FAN_MARK_ADD | FAN_MARK_DONT_FOLLOW | flags, mask, AT_FDCWD,
			  path) < 0)
		return -errno;
	return 0;
}

enum mark_extent fanotify_group_extent(const struct fanotify_group *group, const char *filesystem)
{
	if (filesystem_holds_programs(filesystem))
		return MARK_ALL;
	return group->exec_mask && filesystem_holds_devices(filesystem) ? MARK_EXECS : MARK_NOTHING;
}

int fanotify_group_mark(const struct fanotify_group *group, enum mark_extent extent,
			bool superblock, const char *path)
{
	uint64_t mask = extent == MARK_ALL ? group->mask : group->exec_mask;
	int result;

	if (!superblock || !group->superblocks)
		return add_mark(group, mask, FAN_MARK_MOUNT, path);
	result = add_mark(group, mask, FAN_MARK_FILESYSTEM, path);
	/* some filesystems allow no mark on themselves */
	if (result == -EINVAL || result == -ENODEV || result == -EXDEV || result == -EOPNOTSUPP)
		result = add_mark(group, mask, FAN_MARK_MOUNT, path);
	return result;
}

void fanotify_group_forget_files(const struct fanotify_group *group)
{
	/* without MOUNT and FILESYSTEM: the marks on inodes */
	(void)fanotify_mark(group->fd, FAN_MARK_FLUSH, 0, AT_FDCWD, "/");
}
