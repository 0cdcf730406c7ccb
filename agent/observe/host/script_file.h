/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_SCRIPT_FILE_H
#define OBSERVE_HOST_SCRIPT_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "observe/host/executable.h"
#include "observe/host/label.h"
#include "observe/observation.h"
#include "program/arguments.h"

/* Scripts on their way: the kernel opened them for exec (or an interpreter's arguments name them),
 * they are being hashed, and their interpreter is known or will be. Delivers SCRIPT. */
struct script_files;

int script_files_new(struct executables *executables, observation_fn deliver, void *context,
		     struct script_files **ret_scripts);
void script_files_free(struct script_files *scripts);

/* A file without an interpreter yet; takes the descriptor. shebang: its content begins with "#!",
 * else it is of another format that something may run. */
void script_files_opened(struct script_files *scripts, int fd, pid_t pid, struct label *path,
			 bool shebang, uint64_t now_ns);

/* The process runs that interpreter now: what it opened before is its script. Returns whether there
 * was one that names it. Equal events of one process are one in fanotify's queue, so a script may
 * meet a later program than its own: then the "#!" line tells which it was. */
bool script_files_interpreted(struct script_files *scripts, pid_t pid, struct label *interpreter);

/* Gives up files that nothing ran: exec failed. Those of no "#!" are tried as the process's
 * program's own, which is what shells do after ENOEXEC. */
typedef struct label *(*process_interpreter_fn)(void *context, pid_t pid);
void script_files_expire(struct script_files *scripts, uint64_t before_ns,
			 process_interpreter_fn interpreter, void *context);
bool script_files_waiting(const struct script_files *scripts);

/* An interpreter opened a file of code; takes the descriptor. */
void script_files_read(struct script_files *scripts, int fd, pid_t pid, struct label *path,
		       struct label *interpreter);

/* Whether this state of a file is on its way. */
bool script_files_has(const struct script_files *scripts, const struct file_key *file);

/* Looks for the script that a living interpreter's arguments name. */
void script_files_from_arguments(struct script_files *scripts, pid_t pid, struct label *interpreter,
				 const struct arguments *arguments);

#endif
