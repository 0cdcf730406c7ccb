/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/opened_program.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

#define SLOTS 1024

struct opened {
	pid_t pid;
	bool loader_due; /* it names a loader: the next file of that pid */
	bool executed;	 /* a program, not only a script whose interpreter is due */
	uint64_t replaced_ns;
	struct label *program;
};

struct opened_programs {
	struct opened slots[SLOTS]; /* by pid */
};

int opened_programs_new(struct opened_programs **ret_programs)
{
	struct opened_programs *programs = calloc(1, sizeof(*programs));

	if (!programs)
		return -ENOMEM;
	*ret_programs = programs;
	return 0;
}

void opened_programs_free(struct opened_programs *programs)
{
	if (!programs)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		label_release(programs->slots[i].program);
	free(programs);
}

bool opened_programs_note(struct opened_programs *programs, pid_t pid,
			  const struct executable *executable, struct label *path)
{
	struct opened *opened = &programs->slots[(unsigned int)pid % SLOTS];

	if (executable->kind == EXECUTABLE_LIBRARY && opened->pid == pid && opened->loader_due) {
		opened->loader_due = false;
		return true;
	}
	if (opened->pid != pid)
		opened->executed = false;
	if (opened->pid != pid || executable->kind == EXECUTABLE_PROGRAM)
		opened->replaced_ns = opened->executed ? clock_boottime_ns() : 0;
	opened->executed |= executable->kind == EXECUTABLE_PROGRAM;
	opened->pid = pid;
	opened->loader_due = executable->has_loader;
	label_assign(&opened->program, path);
	return false;
}

uint64_t opened_programs_replaced_ns(const struct opened_programs *programs, pid_t pid)
{
	const struct opened *opened = &programs->slots[(unsigned int)pid % SLOTS];

	return opened->pid == pid ? opened->replaced_ns : 0;
}
