/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/process_census.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "observe/host/process_info.h"
#include "observe/host/process_sweep.h"

struct process_census {
	struct process_census_config config;
	uint32_t generation;
	bool first;
};

int process_census_new(const struct process_census_config *config,
		       struct process_census **ret_census)
{
	struct process_census *census = calloc(1, sizeof(*census));

	if (!census)
		return -ENOMEM;
	census->config = *config;
	*ret_census = census;
	return 0;
}

void process_census_free(struct process_census *census)
{
	free(census);
}

static bool same_process(const struct process_census *census, const struct process *process,
			 const struct swept_process *swept)
{
	if (process->flags & PROCESS_ENDED)
		return false;
	/* with events a reused pid is told; their times are ours, not the kernel's */
	return census->config.process_events || process->started_ns == swept->started_ns;
}

static void update(struct process_census *census, struct process *process,
		   const struct swept_process *swept)
{
	_cleanup_(freep) char *path = NULL;

	process->generation = census->generation;
	process->session = swept->session;
	if (process->user == PROCESS_USER_UNKNOWN || !census->config.process_events)
		process->user = swept->user;
	if (census->config.process_events || process->flags & PROCESS_KERNEL)
		return;
	if (process_program_path(process->pid, &path) == 0 &&
	    (!process->program || strcmp(path, process->program->text) != 0)) {
		struct label *program = label_new(path, NULL);

		process->flags |= PROCESS_FRESH; /* an exec nobody told of */
		label_assign(&process->program, program);
		label_release(program);
	}
}

static void visit(void *context, const struct swept_process *swept)
{
	struct process_census *census = context;
	struct process *process = process_find(census->config.table, swept->pid);
	_cleanup_(freep) char *path = NULL;

	if (process && same_process(census, process, swept)) {
		update(census, process, swept);
		return;
	}
	process_forget(census->config.table, swept->pid);
	process = process_add(census->config.table, swept->pid);
	if (!process)
		return;
	process->parent_pid = swept->parent;
	process->session = swept->session;
	process->user = process->image_users[0] = swept->user;
	process->started_ns = swept->started_ns;
	process->generation = census->generation;
	process->flags = PROCESS_FRESH;
	if (swept->kernel_thread)
		process->flags |= PROCESS_KERNEL;
	else if (process_program_path(swept->pid, &path) == 0)
		process->program = label_new(path, NULL);
}

/* What an audit session tells comes first. Children may come before their parents, and of two in
 * one POSIX session the one with a parent in the session tells of the other: until nothing changes
 * any more. */
static void enroll(struct process_census *census)
{
	struct process *process = NULL;
	bool changed = true;

	while ((process = process_next(census->config.table, process)))
		if (process->flags & PROCESS_FRESH)
			process_roster_enroll_audit(census->config.roster, process);
	while (changed) {
		changed = false;
		for (process = NULL; (process = process_next(census->config.table, process));)
			if (process->flags & PROCESS_FRESH)
				changed |= process_roster_enroll(census->config.roster, process);
	}
	process_roster_swept(census->config.roster);
}

/* A process that runs what its parent runs is a fork of it, no execution. */
static bool is_fork(struct process_census *census, const struct process *process)
{
	const struct process *parent = process_find(census->config.table, process->parent_pid);

	return parent && parent->program && process->program &&
	       strcmp(parent->program->text, process->program->text) == 0;
}

static void report(struct process_census *census)
{
	struct process *process = NULL;
	_cleanup_(freep) pid_t *pids = NULL;
	size_t limit = process_table_count(census->config.table);
	size_t count = 0;

	pids = calloc(limit ? limit : 1, sizeof(*pids));
	if (!pids)
		return;
	while ((process = process_next(census->config.table, process))) {
		const struct process *parent;

		if (!(process->flags & PROCESS_FRESH))
			continue;
		process->flags &= (uint16_t)~PROCESS_FRESH;
		parent = process_find(census->config.table, process->parent_pid);
		if (!process->parent_program && parent && !(parent->flags & PROCESS_KERNEL))
			label_assign(&process->parent_program, parent->program);
		if (process->flags & PROCESS_KERNEL || (!census->first && is_fork(census, process)))
			continue;
		pids[count++] = process->pid;
	}
	for (size_t i = 0; i < count; i++) {
		process = process_find(census->config.table, pids[i]);
		if (process)
			execution_join_running(census->config.join, process);
	}
}

int process_census_take(struct process_census *census, bool first)
{
	int result;

	census->first = first;
	census->generation++;
	result = process_sweep_run(visit, census);
	if (result < 0)
		return result;
	process_table_sweep_end(census->config.table, census->generation, clock_boottime_ns());
	enroll(census);
	report(census);
	return 0;
}
