/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/execution_join.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "observe/host/execution_waiting.h"
#include "observe/host/opened_program.h"
#include "observe/host/process_info.h"
#include "observe/host/script_file.h"

/* A file without "#!" that no interpreter was opened for within this time. */
#define SCRIPT_LIMIT_NS (1 * NS_PER_S)

struct execution_join {
	struct execution_join_config config;
	struct script_files *scripts;
	struct execution_waiting *waiting;
	pid_t *unmatched; /* announced execs whose file is not known yet */
	size_t unmatched_count;
	size_t unmatched_capacity;
	struct opened_programs *opened;
	uint64_t lost;
};

static int make_parts(struct execution_join *join)
{
	const struct execution_join_config *config = &join->config;
	struct execution_waiting_config waiting = {
		.table = config->table,
		.roster = config->roster,
		.executables = config->executables,
		.process_events = config->process_events,
		.output = {.users = config->users,
			   .deliver = config->deliver,
			   .context = config->context},
		.began = config->began,
		.context = config->context,
	};
	int result = script_files_new(config->executables, config->deliver, config->context,
				      &join->scripts);

	if (result < 0)
		return result;
	waiting.scripts = join->scripts;
	result = execution_waiting_new(&waiting, &join->waiting);
	return result < 0 ? result : opened_programs_new(&join->opened);
}

int execution_join_new(const struct execution_join_config *config, struct execution_join **ret_join)
{
	struct execution_join *join = calloc(1, sizeof(*join));
	int result;

	if (!join)
		return -ENOMEM;
	join->config = *config;
	result = make_parts(join);
	if (result < 0) {
		execution_join_free(join);
		return result;
	}
	*ret_join = join;
	return 0;
}

void execution_join_free(struct execution_join *join)
{
	if (!join)
		return;
	execution_waiting_free(join->waiting);
	script_files_free(join->scripts);
	opened_programs_free(join->opened);
	free(join->unmatched);
	free(join);
}

/* ---- file events ---- */

static struct label *label_of(int fd, const struct file_key *file)
{
	_cleanup_(freep) char *path = NULL;

	if (descriptor_path(fd, &path) < 0)
		return NULL;
	return label_new(path, file);
}

static struct execution *new_execution(struct execution_join *join, int fd, pid_t pid,
				       const struct file_key *file, struct label *path)
{
	struct execution *execution = execution_waiting_add(join->waiting, pid, file, path);

	if (!execution) {
		(void)close(fd);
		join->lost++;
	}
	return execution;
}

static void program_opened(struct execution_join *join, int fd, pid_t pid,
			   const struct file_key *file, struct label *path)
{
	struct execution *execution = new_execution(join, fd, pid, file, path);

	if (!execution)
		return;
	execution->source = EXECUTION_EVENT;
	execution_waiting_opened(join->waiting, execution);
	/* the descriptor last: a known checksum may complete the execution at once */
	execution_hash(execution, join->config.executables, fd);
}

/* Only what it runs is of interest: its children and sockets are left out with it. */
static void left_out_opened(struct process *process, int fd, struct label *path,
			    const struct executable *executable)
{
	if (executable->kind == EXECUTABLE_PROGRAM || executable->kind == EXECUTABLE_LIBRARY)
		process_match(process, path);
	(void)close(fd);
}

uint64_t execution_join_replaced_ns(const struct execution_join *join, pid_t pid)
{
	return opened_programs_replaced_ns(join->opened, pid);
}

void execution_join_file(struct execution_join *join, int fd, pid_t pid)
{
	struct executable executable;
	struct file_key file;
	struct stat status;
	struct label *path;
	struct process *process;
	bool is_loader;
	bool left_out;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		(void)close(fd);
		return;
	}
	file = file_key_of(&status);
	path = label_of(fd, &file);
	if (executables_examine(join->config.executables, fd, &file, &executable) < 0)
		executable = (struct executable){.kind = EXECUTABLE_PROGRAM};
	is_loader = opened_programs_note(join->opened, pid, &executable, path);
	process = process_roster_find(join->config.roster, pid);
	left_out = process && process_roster_left_out(join->config.roster, process);
	if (is_loader)
		(void)close(fd);
	else if (left_out)
		left_out_opened(process, fd, path, &executable);
	else if (executable.kind == EXECUTABLE_SCRIPT || executable.kind == EXECUTABLE_OTHER)
		script_files_opened(join->scripts, fd, pid, path,
				    executable.kind == EXECUTABLE_SCRIPT, clock_boottime_ns());
	else
		program_opened(join, fd, pid, &file, path);
	label_release(path);
}

/* ---- process events ---- */

static void remember_unmatched(struct execution_join *join, pid_t pid)
{
	if (array_reserve(&join->unmatched, &join->unmatched_capacity, join->unmatched_count,
			  sizeof(*join->unmatched)) < 0) {
		join->lost++;
		return;
	}
	join->unmatched[join->unmatched_count++] = pid;
}

static void executed(struct execution_join *join, pid_t pid)
{
	struct execution *execution = execution_waiting_of(join->waiting, pid);
	struct execution *older;

	(void)process_roster_find(join->config.roster, pid);
	if (!process_executed(join->config.table, pid)) {
		if (execution)
			execution_waiting_settle(join->waiting, execution, true);
		return;
	}
	if (!execution) {
		remember_unmatched(join, pid);
		return;
	}
	execution_waiting_settle(join->waiting, execution, true);
	/* files that were opened before it for the same process: those execs failed */
	while ((older = execution_waiting_of(join->waiting, pid)))
		execution_waiting_drop(join->waiting, older);
}

static void user_changed(struct execution_join *join, const struct process_event *event)
{
	struct process *process = process_find(join->config.table, event->pid);

	if (process)
		process->user = event->user;
}

void execution_join_process_event(struct execution_join *join, const struct process_event *event)
{
	struct process_table *table = join->config.table;

	switch (event->kind) {
	case PROCESS_EVENT_FORK:
		(void)process_roster_find(join->config.roster, event->parent);
		(void)process_forked(table, event->parent, event->pid, clock_boottime_ns());
		break;
	case PROCESS_EVENT_EXEC:
		executed(join, event->pid);
		break;
	case PROCESS_EVENT_USER:
		user_changed(join, event);
		break;
	case PROCESS_EVENT_EXIT:
		process_exited(table, event->pid, clock_boottime_ns());
		break;
	case PROCESS_EVENT_OTHER:
		break;
	}
}

/* ---- programs seen by looking at the process ---- */

/* Opens what the process runs now and reports it. Returns whether that was possible. */
static bool look_at_process(struct execution_join *join, struct process *process, uint8_t source,
			    uint64_t boot_age_ns)
{
	pid_t pid = process->pid;
	int fd = process_program_open(pid);
	struct execution *execution;
	struct file_key file;
	struct stat status;
	struct label *path;

	if (fd < 0)
		return false;
	if (fstat(fd, &status) < 0) {
		(void)close(fd);
		return false;
	}
	file = file_key_of(&status);
	path = label_of(fd, &file);
	if (process_roster_left_out(join->config.roster, process)) {
		process_match(process, path);
		label_release(path);
		(void)close(fd);
		return true;
	}
	if (join->config.unmarked && join->config.file_events && source == EXECUTION_EVENT)
		join->config.unmarked(join->config.context, fd);
	execution = new_execution(join, fd, pid, &file, path);
	label_release(path);
	if (!execution)
		return true;
	execution->source = source;
	execution->boot_age_ns = boot_age_ns;
	execution_waiting_settle(join->waiting, execution, true);
	execution_hash(execution, join->config.executables, fd);
	return true;
}

void execution_join_files_drained(struct execution_join *join)
{
	size_t count = join->unmatched_count;

	join->unmatched_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct process *process = process_find(join->config.table, join->unmatched[i]);

		if (!process || !process->unmatched)
			continue;
		process->unmatched = 1; /* of several images only the last can be looked at */
		if (look_at_process(join, process, EXECUTION_EVENT, clock_boottime_ns()))
			continue;
		/* equal events of one process are one in fanotify's queue: the same program again
		 */
		if (!(process->flags & PROCESS_MATCHED && join->config.file_events) &&
		    !process_roster_left_out(join->config.roster, process))
			join->lost++;
		process->unmatched = 0;
	}
}

void execution_join_began(struct execution_join *join, pid_t pid)
{
	struct execution *execution = execution_waiting_of(join->waiting, pid);

	if (execution && execution_runs(execution))
		execution_waiting_settle(join->waiting, execution, true);
}

void execution_join_script(struct execution_join *join, int fd, pid_t pid, struct label *path,
			   struct label *interpreter)
{
	script_files_read(join->scripts, fd, pid, path, interpreter);
}

bool execution_join_is_script(struct execution_join *join, const struct file_key *file)
{
	return executables_has_note(join->config.executables, file, EXECUTABLE_SCRIPT_TOLD) ||
	       script_files_has(join->scripts, file);
}

void execution_join_running(struct execution_join *join, const struct process *process)
{
	struct process *own = process_find(join->config.table, process->pid);

	if (own)
		(void)look_at_process(join, own, EXECUTION_RUNNING, own->started_ns);
}

/* ---- time ---- */

bool execution_join_waits(const struct execution_join *join)
{
	return execution_waiting_any(join->waiting) || script_files_waiting(join->scripts);
}

static struct label *interpreter_of(void *context, pid_t pid)
{
	struct execution_join *join = context;
	struct process *process = process_find(join->config.table, pid);

	if (!process || !process->program ||
	    process_roster_left_out(join->config.roster, process) ||
	    program_class_by_name(process->program->text) == PROGRAM_ORDINARY)
		return NULL;
	return process->program;
}

void execution_join_tick(struct execution_join *join, uint64_t now_ns)
{
	execution_waiting_tick(join->waiting, now_ns);
	if (now_ns > SCRIPT_LIMIT_NS)
		script_files_expire(join->scripts, now_ns - SCRIPT_LIMIT_NS, interpreter_of, join);
}

void execution_join_settle_all(struct execution_join *join)
{
	execution_waiting_settle_all(join->waiting);
}

uint64_t execution_join_lost(const struct execution_join *join)
{
	return join->lost;
}
