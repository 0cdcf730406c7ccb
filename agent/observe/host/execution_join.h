/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_EXECUTION_JOIN_H
#define OBSERVE_HOST_EXECUTION_JOIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "observe/host/executable.h"
#include "observe/host/process_events.h"
#include "observe/host/process_roster.h"
#include "observe/host/process_table.h"
#include "observe/host/users.h"
#include "observe/observation.h"

/*
 * Puts together what different layers say of one execution: the file (fanotify), that it succeeded
 * and whose it was (process connector), its arguments (/proc), its checksum (executables). Delivers
 * EXECUTION and SCRIPT once all that can be known is known.
 */
struct execution_join;

struct execution_join_config {
	struct process_table *table;
	struct process_roster *roster;
	struct executables *executables;
	struct users *users;
	bool file_events;    /* execution_join_file() will be told of each exec */
	bool process_events; /* execution_join_process_event() will be told of each fork and exec */
	observation_fn deliver;
	/* a program began: its libraries are worth a look soon */
	void (*began)(void *context, pid_t pid);
	/* a program on a filesystem without file events; the descriptor stays the caller's */
	void (*unmarked)(void *context, int fd);
	void *context;
};

int execution_join_new(const struct execution_join_config *config,
		       struct execution_join **ret_join);
void execution_join_free(struct execution_join *join); /* after executables_free() */

/* An exec notification; the descriptor becomes the join's. Process events that were queued before
 * it must have been handed in. */
void execution_join_file(struct execution_join *join, int fd, pid_t pid);
void execution_join_process_event(struct execution_join *join, const struct process_event *event);

/* All queued file events were handed in: execs without one are looked at directly. */
void execution_join_files_drained(struct execution_join *join);

/* The process opened a file after its last exec: what it runs now, and its arguments, can be seen.
 * For where no process events tell. */
void execution_join_began(struct execution_join *join, pid_t pid);

/* An interpreter opened a file of code; takes the descriptor. */
void execution_join_script(struct execution_join *join, int fd, pid_t pid, struct label *path,
			   struct label *interpreter);

/* Whether the file was, or is about to be, told as a script. */
bool execution_join_is_script(struct execution_join *join, const struct file_key *file);

/* Tells of a process that runs already. */
void execution_join_running(struct execution_join *join, const struct process *process);

/* When (CLOCK_BOOTTIME) a file event told that the process executed a program after another of its
 * own; 0: none did. */
uint64_t execution_join_replaced_ns(const struct execution_join *join, pid_t pid);

/* Whether something waits for execution_join_tick(), to be called some 20 ms later. */
bool execution_join_waits(const struct execution_join *join);
void execution_join_tick(struct execution_join *join, uint64_t now_ns);

/* Process events were lost: what waits for one is settled without. */
void execution_join_settle_all(struct execution_join *join);

/* Execs whose file could not be known any more. */
uint64_t execution_join_lost(const struct execution_join *join);

#endif
