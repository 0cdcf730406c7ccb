/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROCESS_COMMAND_LINE_H
#define PROCESS_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "process/transient.h"
#include "program/arguments.h"

/*
 * How a program is called: of a process that runs it, from /proc/PID/cmdline; of one whose exec
 * waits for an answer, from that one's memory. No allocation: one of these is made at the start.
 */
struct command_line {
	struct arguments arguments; /* point into bytes */
	const char *vector[ARGUMENTS_LIMIT + 1];
	size_t size;
	bool is_cut; /* there was more than there is room for */
	char bytes[65536];
};

/* Takes the bytes (each word with its NUL) apart; beyond the limits the leading words, which
 * arguments.is_cut says. 0, or -ENOENT when there are none. */
int command_line_split(struct command_line *line);

/* What the process was started with. The same, and errors of reading. */
int command_line_read(struct command_line *line, struct transient *transient, pid_t pid);

/* The argument vector that the exec of a waiting process was given. -EAGAIN: cannot be said. */
int command_line_of_exec(struct command_line *line, struct transient *transient, pid_t pid);

/* The kernel puts the interpreter, its one option ("" for none) and the script's name in place of
 * the first word ("#!" line). script: what the exec named. */
int command_line_through_script(struct command_line *line, const char *interpreter,
				const char *option, const char *script);

/* What the exec of a waiting process names. 0 or -EAGAIN. */
int exec_path(struct transient *transient, pid_t pid, char *path, size_t size);

/* Whether the process waits in an open that cannot read. false: it can, or it cannot be said. */
bool process_opens_to_write(struct transient *transient, pid_t pid);

#endif
