/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUARD_MARK_HELPER_H
#define GUARD_MARK_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "guard/fanotify_group.h"
#include "loop/loop.h"

/*
 * Marks set by a child. Walking to a mount point asks the filesystems on the way, and a FUSE daemon
 * or a file server may never answer: then a child waits, and not the supervisor.
 */
struct mark_helpers;

#define MARK_HELPERS_LIMIT 16 /* at a time; one more ends the oldest */

/* What a child reports of each mark that it set, or could not. */
struct mark_report {
	uint64_t mount_id;
	uint64_t device;
	int32_t result;
	bool foreign; /* in another process's view */
	char place[200];
};

struct mark_helpers_config {
	const struct fanotify_group *group;
	bool superblocks;
	void (*marked)(void *context, const struct mark_report *report);
	void (*finished)(void *context); /* a child ended */
	void *context;
};

int mark_helpers_new(struct loop *loop, const struct mark_helpers_config *config,
		     struct mark_helpers **ret_helpers);
void mark_helpers_free(struct mark_helpers *helpers); /* ends all of them */

/* Whether one is on its way to that mount. */
bool mark_helpers_busy(const struct mark_helpers *helpers, uint64_t mount_id);

/* One mount of our own view. Returns 0 or negative errno. */
struct mount_entry;
int mark_helpers_mount(struct mark_helpers *helpers, const struct mount_entry *entry,
		       enum mark_extent extent);

/* All mounts that hold programs in that process's view. */
int mark_helpers_process(struct mark_helpers *helpers, pid_t pid);

#endif
