/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/execution.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "observe/host/process_info.h"
#include "observe/host/process_table.h"

#define CMDLINE_LIMIT ((ARGUMENT_SIZE_LIMIT + 1) * ARGUMENTS_LIMIT + 2)

struct execution *execution_new(const struct execution_output *output, pid_t pid,
				const struct file_key *file, struct label *path)
{
	struct execution *execution = calloc(1, sizeof(*execution));

	if (!execution)
		return NULL;
	execution->output = output;
	execution->pid = pid;
	execution->user = PROCESS_USER_UNKNOWN;
	execution->file = *file;
	execution->path = label_reference(path);
	execution->opened_ns = clock_boottime_ns();
	execution->boot_age_ns = execution->opened_ns;
	return execution;
}

void execution_free(struct execution *execution)
{
	label_release(execution->path);
	label_release(execution->parent);
	free(execution->applet);
	arguments_clear(&execution->arguments);
	free(execution);
}

/* ---- completing ---- */

static void deliver(struct execution *execution)
{
	const struct execution_output *output = execution->output;
	const struct executable *executable = &execution->executable;
	bool told = execution->runs_arguments && execution->arguments.count;
	struct observation observation = {
		.kind = OBSERVATION_EXECUTION,
		.time_ns = clock_realtime_ns(),
		.execution =
			{
				.pid = execution->pid,
				.path = execution->path->text,
				.sha256 = executable->hashed ? executable->sha256 : NULL,
				.unreadable = executable->unreadable,
				.user = execution->user != PROCESS_USER_UNKNOWN
						? users_name(output->users, execution->user)
						: NULL,
				.parent = label_text(execution->parent),
				.arguments = told ? execution->arguments.vector + 1 : NULL,
				.applet = execution->applet,
				.pins_arguments = execution->pins_arguments,
				.boot_age_ns = execution->boot_age_ns,
				.source = execution->source,
			},
	};

	output->deliver(output->context, &observation);
}

/* Delivers or forgets what is complete; the execution may be gone afterwards. */
static void advance(struct execution *execution)
{
	if (!execution->hashed || (!execution->settled && !execution->dropped))
		return;
	if (execution->settled && execution->path)
		deliver(execution);
	execution_free(execution);
}

static void hashed(void *context, const struct executable *executable)
{
	struct execution *execution = context;

	execution->executable = *executable;
	execution->hashed = true;
	advance(execution);
}

void execution_hash(struct execution *execution, struct executables *executables, int fd)
{
	executables_hash(executables, fd, hashed, execution);
}

void execution_settle(struct execution *execution)
{
	execution->settled = true;
	advance(execution);
}

void execution_drop(struct execution *execution)
{
	execution->dropped = true;
	advance(execution);
}

/* ---- arguments ---- */

static void read_arguments(struct execution *execution)
{
	char small[4096];
	_cleanup_(freep) char *large = NULL;
	char *bytes = small;
	ssize_t size;

	size = process_file_read(execution->pid, "cmdline", small, sizeof(small));
	if (size == (ssize_t)sizeof(small) - 1) {
		large = malloc(CMDLINE_LIMIT);
		if (!large)
			return;
		bytes = large;
		size = process_file_read(execution->pid, "cmdline", large, CMDLINE_LIMIT);
		if (size == CMDLINE_LIMIT - 1)
			return;
	}
	if (size > 0)
		(void)arguments_parse(bytes, (size_t)size, &execution->arguments);
}

bool execution_runs(const struct execution *execution)
{
	char first[2];

	/* a new image has no arguments until its stack is made (create_elf_tables() in the kernel's
	 * fs/binfmt_elf.c) */
	return process_runs(execution->pid, &execution->file) &&
	       process_file_read(execution->pid, "cmdline", first, sizeof(first)) > 0;
}

/* The argument vector is its own to overwrite, but this early it is
 * still what exec was given. */
void execution_read_arguments(struct execution *execution)
{
	enum program_class class = program_class_by_name(execution->path->text);
	const char *argv0;
	char root[64];

	read_arguments(execution);
	execution->pins_arguments |= class != PROGRAM_ORDINARY;
	if (!execution->arguments.count)
		return;
	argv0 = execution->arguments.vector[0];
	(void)snprintf(root, sizeof(root), "/proc/%d/root", (int)execution->pid);
	if (class == PROGRAM_ORDINARY &&
	    is_linked_applet(root, execution->path->text, &execution->file, argv0))
		class = PROGRAM_MULTI_CALL;
	if (class == PROGRAM_MULTI_CALL) {
		execution->pins_arguments = true;
		argv0 = path_base_name(argv0);
		execution->applet = strdup(*argv0 == '-' ? argv0 + 1 : argv0);
	}
	execution->runs_arguments = execution->pins_arguments;
}
