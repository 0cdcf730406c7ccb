/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_FILE_OPEN_WATCH_H
#define OBSERVE_HOST_FILE_OPEN_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/loop.h"
#include "observe/host/executable.h"
#include "observe/host/execution_join.h"
#include "observe/host/library_file.h"
#include "observe/host/process_roster.h"
#include "observe/observation.h"

/*
 * Every file that anybody opens, as far as it can matter: machine code (LIBRARY), whoever opens it;
 * and what programs open whose arguments are pinned, code (SCRIPT) as well as anything else (READ).
 * Files of machine code are asked about no more once they were told, until they change.
 */
struct file_open_watch;

struct file_open_watch_config {
	struct process_table *table;
	struct process_roster *roster;
	struct executables *executables;
	struct execution_join *join;
	struct library_files *libraries;
	bool process_events;
	observation_fn deliver;
	void *context;
	void (*before)(void *context); /* takes exec and process events queued before these */
};

/* Errors: -errno with the reason in *ret_off (a constant string). */
int file_open_watch_new(struct loop *loop, const struct file_open_watch_config *config,
			struct file_open_watch **ret_watch, const char **ret_off);
void file_open_watch_free(struct file_open_watch *watch); /* after executables_free() */

/* A program was found on a filesystem that is not watched yet; the descriptor stays the caller's.
 */
void file_open_watch_filesystem(struct file_open_watch *watch, int fd);

/* Reads what is queued. Returns whether that was all, or false: there was no room. */
bool file_open_watch_drain(struct file_open_watch *watch);

/* There is room again for files to be hashed. */
void file_open_watch_resume(struct file_open_watch *watch);

uint64_t file_open_watch_lost(const struct file_open_watch *watch);

#endif
