/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUARD_FANOTIFY_GROUP_H
#define GUARD_FANOTIFY_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "guard/guard.h"

/* One fanotify group (fanotify(7)), and what this kernel lets it ask. */
struct fanotify_group {
	int fd; /* close-on-exec, non-blocking */
	uint64_t mask;
	uint64_t exec_mask; /* execs alone; 0: none */
	bool exec_events;   /* not before Linux 5.0 */
	bool superblocks;   /* marks on whole filesystems: not before 4.20 */
};

/* inherited: another supervisor's, which becomes the group's; -1: none. Nothing is marked. Errors
 * say what is missing: -EPERM, -EOPNOTSUPP, -EMFILE; -EINVAL for a descriptor that is no such
 * group. */
int fanotify_group_open(enum guard_mode mode, int inherited, struct fanotify_group *ret_group,
			struct error *error);

/*
 * What is asked about a filesystem. Of device nodes no event may come: the kernel would open the
 * node for us, and that has effects. A node cannot be executed, so that execs can be asked about.
 */
enum mark_extent {
	MARK_NOTHING,
	MARK_EXECS,
	MARK_ALL,
};
enum mark_extent fanotify_group_extent(const struct fanotify_group *group, const char *filesystem);

/* Marks what the directory (or file) lies on: its filesystem, where there are such marks, or its
 * mount. Returns 0 or negative errno. */
int fanotify_group_mark(const struct fanotify_group *group, enum mark_extent extent,
			bool superblock, const char *path);

/* Drops the marks of single files: what the kernel need not ask. */
void fanotify_group_forget_files(const struct fanotify_group *group);

#endif
