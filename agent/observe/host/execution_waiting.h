/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_EXECUTION_WAITING_H
#define OBSERVE_HOST_EXECUTION_WAITING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "observe/host/execution.h"
#include "observe/host/process_roster.h"
#include "observe/host/process_table.h"
#include "observe/host/script_file.h"

/*
 * Executions whose file is known and of which it is not known yet whether they took place: the
 * process connector tells, or else the process is looked at. What took place is settled: its user,
 * parent and arguments are taken down.
 */
struct execution_waiting;

struct execution_waiting_config {
	struct process_table *table;
	struct process_roster *roster;
	struct executables *executables;
	struct script_files *scripts;
	bool process_events;
	struct execution_output output;
	void (*began)(void *context, pid_t pid); /* may be NULL */
	void *context;
};

int execution_waiting_new(const struct execution_waiting_config *config,
			  struct execution_waiting **ret_waiting);
void execution_waiting_free(struct execution_waiting *waiting);

/* NULL: out of memory. */
struct execution *execution_waiting_add(struct execution_waiting *waiting, pid_t pid,
					const struct file_key *file, struct label *path);

/* A file was opened for exec: settles what need not wait. Hash it afterwards. */
void execution_waiting_opened(struct execution_waiting *waiting, struct execution *execution);

/* The newest of that process, or NULL. */
struct execution *execution_waiting_of(struct execution_waiting *waiting, pid_t pid);

/* It took place, or nobody can tell. look: whether the process may be asked now. */
void execution_waiting_settle(struct execution_waiting *waiting, struct execution *execution,
			      bool look);

/* It did not take place. */
void execution_waiting_drop(struct execution_waiting *waiting, struct execution *execution);

/* Process events were lost: all are settled, and for some seconds new ones at once. */
void execution_waiting_settle_all(struct execution_waiting *waiting);

bool execution_waiting_any(const struct execution_waiting *waiting);
void execution_waiting_tick(struct execution_waiting *waiting, uint64_t now_ns);

#endif
