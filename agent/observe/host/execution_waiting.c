/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/execution_waiting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "observe/host/process_info.h"

/* Without process events: how long a process may take from the open of its program to running it.
 */
#define LOOK_AGAIN_NS (200 * NS_PER_MS)
/* With them: an exec that was not announced after this failed. Slow storage takes its time. */
#define EXEC_LIMIT_NS (10 * NS_PER_S)
#define AFTER_LOSS_NS (5 * NS_PER_S)

struct execution_waiting {
	struct execution_waiting_config config;
	struct execution *first;  /* newest */
	uint64_t settle_until_ns; /* events were lost: what is not announced counts too */
};

int execution_waiting_new(const struct execution_waiting_config *config,
			  struct execution_waiting **ret_waiting)
{
	struct execution_waiting *waiting = calloc(1, sizeof(*waiting));

	if (!waiting)
		return -ENOMEM;
	waiting->config = *config;
	*ret_waiting = waiting;
	return 0;
}

void execution_waiting_free(struct execution_waiting *waiting)
{
	if (!waiting)
		return;
	while (waiting->first) {
		struct execution *execution = waiting->first;

		waiting->first = execution->next;
		execution_free(execution);
	}
	free(waiting);
}

/* ---- the list ---- */

struct execution *execution_waiting_add(struct execution_waiting *waiting, pid_t pid,
					const struct file_key *file, struct label *path)
{
	struct execution *execution = execution_new(&waiting->config.output, pid, file, path);

	if (!execution)
		return NULL;
	execution->next = waiting->first;
	waiting->first = execution;
	return execution;
}

struct execution *execution_waiting_of(struct execution_waiting *waiting, pid_t pid)
{
	struct execution *execution = waiting->first;

	while (execution && execution->pid != pid)
		execution = execution->next;
	return execution;
}

bool execution_waiting_any(const struct execution_waiting *waiting)
{
	return waiting->first;
}

static void take_out(struct execution_waiting *waiting, struct execution *execution)
{
	struct execution **place = &waiting->first;

	while (*place && *place != execution)
		place = &(*place)->next;
	if (*place)
		*place = execution->next;
	execution->next = NULL;
}

void execution_waiting_drop(struct execution_waiting *waiting, struct execution *execution)
{
	take_out(waiting, execution);
	execution_drop(execution);
}

/* ---- settling ---- */

static void take_script(struct execution_waiting *waiting, struct execution *execution)
{
	struct executables *executables = waiting->config.executables;

	if (script_files_interpreted(waiting->config.scripts, execution->pid, execution->path)) {
		executables_add_note(executables, &execution->file, EXECUTABLE_INTERPRETS);
		execution->pins_arguments = true;
		execution->from_script = true;
	} else if (executables_has_note(executables, &execution->file, EXECUTABLE_INTERPRETS)) {
		execution->pins_arguments = true;
	}
	if (execution->path && program_class_by_name(execution->path->text) != PROGRAM_ORDINARY)
		execution->pins_arguments = true;
}

/* The user that a process has while it runs the file: that of an earlier or a later program of its
 * is somebody else's. */
static uint32_t user_while_running(const struct execution *execution)
{
	uint32_t user;

	if (!process_runs(execution->pid, &execution->file) ||
	    process_user_read(execution->pid, &user) < 0 ||
	    !process_runs(execution->pid, &execution->file))
		return PROCESS_USER_UNKNOWN;
	return user;
}

static void take_process(struct execution_waiting *waiting, struct execution *execution,
			 struct process *process)
{
	process_match(process, execution->path);
	execution->user = waiting->config.process_events ? process_image_user(process)
							 : user_while_running(execution);
	label_assign(&execution->parent, process_parent_program(waiting->config.table, process));
}

static void take_arguments(struct execution_waiting *waiting, struct execution *execution)
{
	execution_read_arguments(execution);
	if (execution->arguments.count && !execution->from_script)
		script_files_from_arguments(waiting->config.scripts, execution->pid,
					    execution->path, &execution->arguments);
}

void execution_waiting_settle(struct execution_waiting *waiting, struct execution *execution,
			      bool look)
{
	struct process *process = process_roster_find(waiting->config.roster, execution->pid);

	take_script(waiting, execution);
	if (process) {
		take_process(waiting, execution, process);
		/* a later image's arguments are not this one's */
		look = look && !process->unmatched && !(process->flags & PROCESS_ENDED);
	}
	if (waiting->config.process_events)
		look = look && process_runs(execution->pid, &execution->file);
	if (look && execution->path)
		take_arguments(waiting, execution);
	if (execution->pins_arguments)
		executables_add_note(waiting->config.executables, &execution->file,
				     EXECUTABLE_PINNED);
	take_out(waiting, execution);
	if (waiting->config.began)
		waiting->config.began(waiting->config.context, execution->pid);
	execution_settle(execution);
}

void execution_waiting_settle_all(struct execution_waiting *waiting)
{
	waiting->settle_until_ns = clock_boottime_ns() + AFTER_LOSS_NS;
	while (waiting->first)
		execution_waiting_settle(waiting, waiting->first, true);
}

static bool events_were_lost(const struct execution_waiting *waiting)
{
	return waiting->settle_until_ns && clock_boottime_ns() < waiting->settle_until_ns;
}

/* ---- looking at processes ---- */

static bool same_program(const struct label *label, const struct execution *execution)
{
	return label && execution->path && strcmp(label->text, execution->path->text) == 0;
}

/* Whether the process may have run the same file before this execution. A program that was only
 * read from /proc is this execution's, unless a fork brought it. */
static bool may_run_an_older_image(const struct process *process, const struct execution *execution)
{
	return same_program(process->program, execution) &&
	       (process->flags & PROCESS_MATCHED || !process->parent_program ||
		same_program(process->parent_program, execution));
}

/* Without process events nobody tells when the program runs: that is seen from outside, and when
 * the process ran the same file before, only its second look is sure to be at the new image. */
static void opened_without_events(struct execution_waiting *waiting, struct execution *execution)
{
	struct process *process = process_roster_find(waiting->config.roster, execution->pid);

	if (!process) /* gone already: what it ran is all that is known */
		execution_waiting_settle(waiting, execution, false);
	else if (!may_run_an_older_image(process, execution) && execution_runs(execution))
		execution_waiting_settle(waiting, execution, true);
}

void execution_waiting_opened(struct execution_waiting *waiting, struct execution *execution)
{
	struct process *process;

	if (!waiting->config.process_events) {
		opened_without_events(waiting, execution);
		return;
	}
	process = process_roster_find(waiting->config.roster, execution->pid);
	if (!process || process->unmatched || events_were_lost(waiting))
		execution_waiting_settle(waiting, execution, true);
}

/* ---- time ---- */

/* The exec did not take place: the process still is what it was. */
static bool runs_what_it_ran(const struct process *process)
{
	_cleanup_(freep) char *path = NULL;

	return process->program && process_program_path(process->pid, &path) == 0 &&
	       strcmp(path, process->program->text) == 0;
}

static void look_without_events(struct execution_waiting *waiting, struct execution *execution,
				uint64_t age_ns)
{
	const struct process *process = process_find(waiting->config.table, execution->pid);
	struct process_stat status;

	if (process_stat_read(execution->pid, &status) < 0)
		execution_waiting_settle(waiting, execution, false);
	else if (execution_runs(execution))
		execution_waiting_settle(waiting, execution, true);
	else if (age_ns > LOOK_AGAIN_NS && process_runs(execution->pid, &execution->file))
		execution_waiting_settle(waiting, execution, true); /* it has no arguments */
	else if (age_ns > LOOK_AGAIN_NS && process && runs_what_it_ran(process))
		execution_waiting_drop(waiting, execution);
	else if (age_ns > LOOK_AGAIN_NS)
		execution_waiting_settle(waiting, execution, false);
}

static void look_again(struct execution_waiting *waiting, struct execution *execution,
		       uint64_t now_ns)
{
	const struct process *process = process_find(waiting->config.table, execution->pid);
	uint64_t age_ns = now_ns - execution->opened_ns;

	if (!waiting->config.process_events)
		look_without_events(waiting, execution, age_ns);
	else if (events_were_lost(waiting))
		execution_waiting_settle(waiting, execution, true);
	else if (!process || process->flags & PROCESS_ENDED || age_ns > EXEC_LIMIT_NS)
		execution_waiting_drop(waiting, execution);
}

void execution_waiting_tick(struct execution_waiting *waiting, uint64_t now_ns)
{
	struct execution *next;

	for (struct execution *execution = waiting->first; execution; execution = next) {
		next = execution->next;
		look_again(waiting, execution, now_ns);
	}
}
