/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/fanotify.h>

#include "base/cleanup.h"
#include "kernel/capability_table.h"

/* linux/fanotify.h of 5.19; older headers lack it */
#ifndef FAN_MARK_EVICTABLE
#define FAN_MARK_EVICTABLE 0x00000200
#endif

/*
 * The kernel looks at flags and mask before it looks at what is to be marked
 * (fs/notify/fanotify/fanotify_user.c, do_fanotify_mark): for a descriptor that is none it says
 * EINVAL if it does not know them and EBADF if it does. So nothing is marked and nobody waits.
 */
static int knows_mark(int group, unsigned int flags, uint64_t mask)
{
	if (fanotify_mark(group, FAN_MARK_ADD | flags, mask, -1, NULL) == 0)
		return -EIO;
	return errno == EBADF ? 0 : -errno;
}

/* A file without a name that nobody but us can open, and so nobody can wait for. */
static int open_private_file(void)
{
	static const char *const places[] = {"/run", "/tmp", "/dev/shm", "/var/tmp"};

	for (size_t i = 0; i < array_length(places); i++) {
		int fd = open(places[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

		if (fd >= 0)
			return fd;
	}
	return -errno;
}

/* A security module may forbid what the kernel knows: a real mark says so. */
static int may_mark(int group, uint64_t mask)
{
	_cleanup_(closep) int fd = open_private_file();

	if (fd < 0)
		return 0;
	if (fanotify_mark(group, FAN_MARK_ADD, mask, fd, NULL) < 0)
		return -errno;
	if (fanotify_mark(group, FAN_MARK_REMOVE, mask, fd, NULL) < 0)
		return -errno;
	return 0;
}

static bool is_forbidden(int result)
{
	return result == -EPERM || result == -EACCES || result == -EMFILE;
}

static void try_mark(struct capability_finding *finding, unsigned int class, unsigned int flags,
		     uint64_t mask, bool really)
{
	_cleanup_(closep) int group = fanotify_init(class | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY);
	int result = group < 0 ? -errno : knows_mark(group, flags, mask);

	if (result == 0 && really)
		result = may_mark(group, mask);
	if (result == 0)
		finding_set(finding, CAPABILITY_ON, "tried");
	else
		finding_set(finding, is_forbidden(result) ? CAPABILITY_UNKNOWN : CAPABILITY_MISSING,
			    "%s: %s", group < 0 ? "fanotify_init" : "fanotify_mark",
			    strerrorname_np(-result));
}

void probe_fanotify_permission(const struct capability_row *row, const char *root,
			       struct capability_finding *finding)
{
	(void)row;
	(void)root;
	try_mark(finding, FAN_CLASS_CONTENT, 0, FAN_OPEN_PERM, true);
}

void probe_fanotify_exec(const struct capability_row *row, const char *root,
			 struct capability_finding *finding)
{
	(void)row;
	(void)root;
	try_mark(finding, FAN_CLASS_CONTENT, 0, FAN_OPEN_EXEC_PERM, true);
}

void probe_fanotify_filesystem(const struct capability_row *row, const char *root,
			       struct capability_finding *finding)
{
	(void)row;
	(void)root;
	try_mark(finding, FAN_CLASS_NOTIF, FAN_MARK_FILESYSTEM, FAN_CLOSE_WRITE, false);
}

void probe_fanotify_evictable(const struct capability_row *row, const char *root,
			      struct capability_finding *finding)
{
	(void)row;
	(void)root;
	try_mark(finding, FAN_CLASS_NOTIF, FAN_MARK_EVICTABLE, FAN_CLOSE_WRITE, true);
}
