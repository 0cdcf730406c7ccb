/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_OPENED_PROGRAM_H
#define OBSERVE_HOST_OPENED_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

#include "observe/host/executable.h"
#include "observe/host/label.h"

/* The program that each process opened last for exec, whether or not the process was known; of
 * those with like pids the newest. */
struct opened_programs;

int opened_programs_new(struct opened_programs **ret_programs);
void opened_programs_free(struct opened_programs *programs);

/* A file was opened for exec. Returns whether it is the loader which that process's program named.
 */
bool opened_programs_note(struct opened_programs *programs, pid_t pid,
			  const struct executable *executable, struct label *path);

/* When (CLOCK_BOOTTIME) the process was seen to execute a program after another of its own; 0: it
 * has not. */
uint64_t opened_programs_replaced_ns(const struct opened_programs *programs, pid_t pid);

#endif
