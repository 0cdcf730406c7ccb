/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_LIBRARY_WATCH_H
#define OBSERVE_HOST_LIBRARY_WATCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "observe/host/executable.h"
#include "observe/host/library_file.h"
#include "observe/host/process_roster.h"
#include "observe/host/process_table.h"

/*
 * Which shared libraries programs have mapped, as /proc/PID/maps tells at each sweep: those that
 * were opened before anybody watched, and, where opens are not watched, those of programs that live
 * long enough to be looked at.
 */
struct library_watch;

struct library_watch_config {
	struct process_table *table;
	struct process_roster *roster;
	struct executables *executables;
	struct library_files *libraries;
};

int library_watch_new(const struct library_watch_config *config, struct library_watch **ret_watch);
void library_watch_free(struct library_watch *watch);

/* A program began: looks at it after some 20 ms and after a second. For where opens are not
 * watched. */
void library_watch_began(struct library_watch *watch, pid_t pid);

/* Looks at one process, or at all, now. */
void library_watch_scan(struct library_watch *watch, pid_t pid);
void library_watch_sweep(struct library_watch *watch);

bool library_watch_waits(const struct library_watch *watch);
void library_watch_tick(struct library_watch *watch, uint64_t now_ns);

#endif
