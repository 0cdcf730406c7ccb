/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PRIVILEGE_CHILD_H
#define PRIVILEGE_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* What every forked process of ours becomes before it does its work. All return 0 or negative
 * errno.
 */

/* Signals as in a fresh process, but for SIGPIPE: a supervisor that is gone shows as EPIPE. */
void child_reset_signals(void);

/* Closes every descriptor but the standard streams and keep. */
int child_close_others(int keep);

/* Dies with its supervisor; -ESRCH when that is gone already. A change of credentials undoes it. */
int child_die_with(pid_t supervisor);

/* The last to be ended when memory is short; not even then while others could be. Root only. */
void child_spare_from_memory_killer(void);

/* fork(2) and all of these but the last; in the child, where it fails, the child ends. Returns as
 * fork does, or negative errno. */
pid_t child_fork(int keep);

/* Whether a process, which need not be a child, runs no more, though perhaps nobody was told yet:
 * whoever traces it comes first. */
bool child_has_ended(pid_t pid);

/* Waits for a child, for at most that long: a tracer may keep its end to himself, a disk may hold
 * it. Returns whether it has ended. */
bool child_reap(pid_t pid, unsigned int limit_ms);

#endif
