/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_EXECUTION_WATCH_H
#define OBSERVE_HOST_EXECUTION_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "loop/loop.h"
#include "observe/observation.h"

/*
 * Every program that runs on this host, from three layers: fanotify exec notifications (an open
 * descriptor of what was executed) and open notifications, the process connector (who started what,
 * who ended), and sweeps of /proc with libproc2 (at the start, where a layer is missing, and after
 * lost events). Delivers EXECUTION, SCRIPT, LIBRARY, READ and LOSS. Passive: no layer makes anybody
 * wait.
 *
 * Without the process connector a user that could not be read while the program ran is unknown, and
 * an orphan of the login session that called setsid() is not told from the device's own
 * (process_roster.h).
 */
struct execution_watch;

struct execution_watch_config {
	bool include_session; /* also what the login session that started us runs */
	observation_fn deliver;
	void *context;
};

/* Which layers this kernel and these privileges give; each NULL when on, else why it is off. */
struct execution_layers {
	const char *fanotify_off;
	const char *connector_off;
	const char *opens_off; /* what programs read, and libraries of short ones */
};

/* Reports everything that is running already before it returns. Errors: -EPERM (no privileges at
 * all for any layer that sees other users' processes), -ENOMEM. A missing layer is no error. */
int execution_watch_new(struct loop *loop, const struct execution_watch_config *config,
			struct execution_watch **ret_watch, struct error *error);
void execution_watch_free(struct execution_watch *watch);

struct execution_layers execution_watch_layers(const struct execution_watch *watch);

/* Handles everything the kernel has queued so far: before a profile is written. */
void execution_watch_drain(struct execution_watch *watch);

/* The path of the program that a process runs, or ran if it ended within the last seconds. NULL
 * when not known. *ret_left_out: it belongs to rtguard or to the excluded session. The string is
 * valid until the loop runs again. */
const char *execution_watch_program(struct execution_watch *watch, pid_t pid, bool *ret_left_out);

/* Whether what the process runs is what it ran at that moment (since 1970): false when it was
 * started, or executed another program, after it. True as far as is known. */
bool execution_watch_ran_at(struct execution_watch *watch, pid_t pid, uint64_t time_ns);

/* Processes, youngest first, for whoever must search them: fills at most limit pids, returns how
 * many. */
size_t execution_watch_recent(struct execution_watch *watch, pid_t *pids, size_t limit);

#endif
