/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_PROCESS_SWEEP_H
#define OBSERVE_HOST_PROCESS_SWEEP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* All processes of this moment, read from /proc by libproc2, one at a time. */
struct swept_process {
	pid_t pid;
	pid_t parent;
	pid_t session; /* POSIX session id */
	uint32_t user; /* effective */
	bool kernel_thread;
	uint64_t started_ns; /* CLOCK_BOOTTIME */
};

typedef void (*swept_process_fn)(void *context, const struct swept_process *process);

/* Returns 0 or negative errno. */
int process_sweep_run(swept_process_fn visit, void *context);

#endif
