/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_LIBRARY_WATCH_H
#define OBSERVE_HOST_LIBRARY_WATCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "loop/loop.h"
#include "observe/host/executable.h"
#include "observe/host/execution_join.h"
#include "observe/host/process_roster.h"
#include "observe/host/process_table.h"
#include "observe/observation.h"

/*
 * Which shared libraries programs map: seen in /proc/PID/maps (soon after a program began and at
 * each sweep), and for programs that are gone by then in open notifications. These are asked for
 * only in directories where mapped libraries lie, and no more for a file once it is known to be
 * mapped: an idle host raises none, and files that are not libraries are never opened here.
 */
struct library_watch;

struct library_watch_config {
	struct process_table *table;
	struct process_roster *roster;
	struct executables *executables;
	struct execution_join *join;
	observation_fn deliver;
	void *context;
	void (*before)(void *context); /* takes exec events that were queued before open events */
};

int library_watch_new(struct loop *loop, const struct library_watch_config *config,
		      struct library_watch **ret_watch);
void library_watch_free(struct library_watch *watch); /* after executables_free() */

/* A program began: looks at it after some 20 ms and after a second. */
void library_watch_began(struct library_watch *watch, pid_t pid);

/* The loader that the kernel mapped for a program. Takes the descriptor. */
void library_watch_loader(struct library_watch *watch, int fd, pid_t pid);

/* Looks at one process, or at all, now. */
void library_watch_scan(struct library_watch *watch, pid_t pid);
void library_watch_sweep(struct library_watch *watch);

/* Reads the open notifications that are queued. */
void library_watch_drain(struct library_watch *watch);
void library_watch_resume(struct library_watch *watch);

bool library_watch_waits(const struct library_watch *watch);
void library_watch_tick(struct library_watch *watch, uint64_t now_ns);

#endif
