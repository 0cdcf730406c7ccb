/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_EXECUTION_H
#define OBSERVE_HOST_EXECUTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "observe/host/executable.h"
#include "observe/host/label.h"
#include "observe/host/users.h"
#include "observe/observation.h"
#include "program/arguments.h"

/*
 * One execution on its way to becoming an observation: it is delivered and gone as soon as it is
 * both settled (what ran, whose, with which arguments) and hashed, or gone without a word when it
 * was dropped.
 */
struct execution_output {
	struct users *users;
	observation_fn deliver;
	void *context;
};

struct execution {
	struct execution *next; /* free for the holder */
	const struct execution_output *output;
	pid_t pid;
	uint8_t source;
	bool settled; /* all but the checksum is known */
	bool dropped;
	bool hashed;
	bool pins_arguments;
	bool from_script;    /* the kernel's own "#!", not an argument, named the script */
	bool runs_arguments; /* arguments are to be told */
	uint32_t user;	     /* or PROCESS_USER_UNKNOWN */
	uint64_t opened_ns;
	uint64_t boot_age_ns;
	struct file_key file;
	struct label *path; /* NULL: never delivered */
	struct label *parent;
	char *applet;
	struct arguments arguments;
	struct executable executable;
};

/* Opened now. The output must outlive it. NULL: out of memory. */
struct execution *execution_new(const struct execution_output *output, pid_t pid,
				const struct file_key *file, struct label *path);
void execution_free(struct execution *execution); /* only while it is not being hashed */

/* Whether the process has come so far that it runs the file and has its arguments. */
bool execution_runs(const struct execution *execution);

/* Asks the process, which must run the file now, what it was given. */
void execution_read_arguments(struct execution *execution);

/* Each of these may be the last that was waited for: the execution is the callee's. */
void execution_hash(struct execution *execution, struct executables *executables, int fd);
void execution_settle(struct execution *execution);
void execution_drop(struct execution *execution);

#endif
