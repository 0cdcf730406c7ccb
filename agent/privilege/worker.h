/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PRIVILEGE_WORKER_H
#define PRIVILEGE_WORKER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * A forked process that does one thing with the bytes of strangers. It has its end of a channel,
 * what its prepare function opened, and nothing else: every other descriptor is closed, standard
 * streams lead to /dev/null, signals are as in a fresh process, and it dies with its supervisor.
 */
struct worker;

struct worker_config {
	const char *name; /* of the process, at most 15 bytes */
	/* Runs in the new process while it still has its caller's rights: opens what will be read.
	 * NULL: nothing to open. A negative return ends the worker, and worker_start() gives the
	 * error to its caller. */
	int (*prepare)(void *context, struct error *error);
	/* Runs confined (see sandbox.h and system_calls.h). What it returns is the exit status. */
	int (*run)(void *context, int channel);
	void *context;
};

/* Returns once the worker is confined and running, or has failed: an error of its prepare function,
 * of the sandbox, or -ETIMEDOUT. */
int worker_start(const struct worker_config *config, struct worker **ret_worker,
		 struct error *error);

pid_t worker_pid(const struct worker *worker);

/* The supervisor's end (see channel.h). It reads as ended when the worker is gone: whatever the
 * worker sent before can still be received, so that this, not SIGCHLD, is the notice of its death.
 */
int worker_channel(const struct worker *worker);

/* Ends the worker if it still runs (waiting for at most grace_ms for it to leave by itself) and
 * frees everything. text, if not NULL, says how it ended: "ended", "exit status 3", "killed by
 * signal 31 (Bad system call)". NULL worker is allowed. Ending one that runs as another user takes
 * CAP_KILL; without it the worker is asked by closing its channel. */
#define WORKER_END_TEXT_SIZE 80
void worker_end(struct worker *worker, int grace_ms, char text[WORKER_END_TEXT_SIZE]);

#endif
