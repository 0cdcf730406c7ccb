/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EVASION_EVADE_H
#define EVASION_EVADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The attacker: a program that is allowed, as a daemon is that somebody got into, and now tries to
 * make unknown code run. Each trick is one function. It runs in a directory of its own, as root or
 * as nobody, and has succeeded when its trace is there afterwards: the symbolic link $TRACE, which
 * only unknown code makes (making a link raises no open event that a guard could still catch).
 *
 * What is unknown lies in $LOOT, encoded, so that getting it reads no executable file: as if it had
 * come over the network. What is allowed lies in $ALLOWED, and as ./victim in each directory.
 */
enum who {
	AS_ROOT = 1 << 0,
	AS_NOBODY = 1 << 1,
	AS_BOTH = AS_ROOT | AS_NOBODY,
};

enum trick_flags {
	NEEDS_MACHINE = 1 << 0, /* real only in the initial namespaces: in a virtual machine */
	DISTURBS = 1 << 1,	/* does something to the agent: with a fresh one */
	BEFORE = 1 << 2,	/* begins before the agent does: before() is called then */
	CONTROL = 1 << 3,	/* no attack: allowed work, which must succeed */
};

struct trick {
	const char *id;
	int row; /* of the list of known ways around process control; 0: a control */
	const char *title;
	enum who who;
	unsigned int flags;
	void (*run)(void);
	void (*before)(void); /* of BEFORE: must return; what it started goes on */
	/* What keeps it from being stopped on the guest's kernel, and what closes it; NULL: it is
	 * to be stopped. */
	const char *limit;
	const char *remedy;
	const char *setting; /* the sysctl of remedy as NAME=VALUE, where that kernel has one */
};

/* One table a file; each ends with a NULL id. */
extern const struct trick tricks_controls[];
extern const struct trick tricks_files[];
extern const struct trick tricks_mounts[];
extern const struct trick tricks_memory[];
extern const struct trick tricks_scripts[];
extern const struct trick tricks_libraries[];
extern const struct trick tricks_processes[];
extern const struct trick tricks_agent[];

/* --- kit: what tricks are made of; each exits with a message where it cannot go on */
const char *trace(void);
bool succeeded(void);				   /* the trace is there */
const char *allowed(const char *name);		   /* path; good until the next call */
uint8_t *loot(const char *name, size_t *ret_size); /* the bytes, decoded */
void drop(const char *name, const char *path);	   /* into an executable file */
void drop_fd(const char *name, int fd);
void write_text(const char *path, const char *text, mode_t mode);
void set_value(const char *path, const char *text); /* of a file in /proc */
void copy_allowed(const char *name, const char *path);

/* Starts and waits; the status as the shell has it (127 not started, 128+N killed). */
int run(const char *path, ...) __attribute__((sentinel));
int run_argv(const char *path, char *const argv[], char *const extra_environment[]);
pid_t start(const char *path, ...) __attribute__((sentinel));
void execute_fd(int fd); /* in a child: execveat(fd, "") */
int finish(pid_t pid);

int tries(void); /* how often to try races and storms: $TRIES */

/* The agent's processes, first the one without a parent among them; count. */
size_t agent_pids(pid_t *pids, size_t limit);

/* Where in a library's file the code of a function begins, which must need no relocation. */
size_t code_offset(const uint8_t *library, size_t size, const char *function);

#endif
