/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUARD_COVERAGE_H
#define GUARD_COVERAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "guard/guard.h"
#include "loop/loop.h"

/*
 * The fanotify group and what it covers: every filesystem that can hold programs, those that are
 * mounted later too, as soon as the kernel tells. Lives in the supervisor.
 */
enum coverage_scope {
	COVERAGE_FILESYSTEMS, /* superblocks: every mount of them, in every mount namespace */
	COVERAGE_MOUNTS,      /* this mount namespace's mounts alone */
};

/* MOUNTS inside a process namespace of its own, FILESYSTEMS in the initial one: what a container is
 * told to guard must not stop the machine around it. */
enum coverage_scope coverage_scope_here(void);

struct coverage;

/* inherited: a group that another supervisor left (-1: none); its marks are kept. Errors say which
 * kernel option or privilege is missing: -EOPNOTSUPP, -EPERM, -EINVAL. */
int coverage_new(enum guard_mode mode, enum coverage_scope scope, int inherited,
		 struct coverage **ret_coverage, struct error *error);
void coverage_free(struct coverage *coverage); /* closes the group: everything that waits passes */

/* Marks all mounts there are; afterwards follows /proc/self/mountinfo in the loop. What lies on or
 * below a FUSE or network filesystem is marked by a child a moment later, because the way there may
 * have no end; FUSE itself is a gap. The loop must outlive the coverage. */
int coverage_start(struct coverage *coverage, struct loop *loop, struct error *error);

/* A program was found to run from a filesystem that no mark covers (another mount namespace's):
 * marks all that hold programs in that process's view, /proc/PID/root, by a child and without
 * waiting for it. Returns 0 or negative errno. */
int coverage_extend(struct coverage *coverage, pid_t pid);

/* Called whenever what is covered has changed. */
void coverage_on_change(struct coverage *coverage, void (*change)(void *context), void *context);

int coverage_fd(const struct coverage *coverage);
size_t coverage_count(const struct coverage *coverage); /* filesystems or mounts marked */

/* Mounts that hold programs and could not be marked, and one of them with the reason ("" for none).
 * The usual one: a user's FUSE mount, into which not even root may look. */
size_t coverage_gaps(const struct coverage *coverage);
const char *coverage_gap(const struct coverage *coverage);

/* Forgets what the kernel was told to ask no more: after a change of the policy. */
void coverage_forget_verdicts(struct coverage *coverage);

/* What this kernel gave: some have no exec events (before 5.0), some no marks on filesystems
 * (before 4.20: then those of mounts, which other mount namespaces get round). */
bool coverage_has_exec_events(const struct coverage *coverage);
enum coverage_scope coverage_scope_of(const struct coverage *coverage);

#endif
