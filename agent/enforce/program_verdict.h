/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENFORCE_PROGRAM_VERDICT_H
#define ENFORCE_PROGRAM_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "enforce/program_policy.h"
#include "program/file_nature.h"
#include "report/finding.h"

/*
 * The rule, without a kernel: what was found out about a file and about who asks for it → permitted
 * or which finding. docs/enforcing.md has the table; tests go through it row by row.
 */

struct asked_file {
	enum file_nature nature;
	bool hashed; /* content holds; else see why */
	enum finding_kind
		why; /* not hashed: NONE (there was no need), or TOO_LARGE, UNREADABLE, … */
	struct content content;
	const char *path;	  /* a label; "" unknown */
	bool sets_user;		  /* has the set-user-ID bit, whoever asks */
	const char *becomes_user; /* set-user-ID: its owner, when that is not who asks; else NULL */
};

struct asking_process {
	bool is_known;	 /* what it runs is a program (or loader) of the profile */
	bool is_trusted; /* rtguard itself, a kernel thread */
	struct content image;
	bool only_writes; /* the open cannot read; known for certain, not from its caller's memory
			   */
};

/* Whether the file's content has to be hashed to judge this; false saves the work. Of the file its
 * nature and path count. */
bool program_verdict_needs_content(const struct program_policy *policy, bool exec,
				   const struct asked_file *file,
				   const struct asking_process *process);

/* FINDING_NONE: permitted. */
enum finding_kind program_verdict_exec(const struct program_policy *policy,
				       const struct asked_file *file,
				       const struct asking_process *process);
enum finding_kind program_verdict_open(const struct program_policy *policy,
				       const struct asked_file *file,
				       const struct asking_process *process);

/* What a process runs: image, and for pinned programs its arguments (NULL: could not be read) and
 * the script that they name. */
enum finding_kind program_verdict_image(const struct program_policy *policy,
					const struct asked_file *image,
					const struct arguments *arguments,
					const struct content *script);

/* Whether the kernel may stop asking about opens, or execs, of this file until it changes. */
bool program_verdict_caches_open(const struct asked_file *file);
bool program_verdict_caches_exec(const struct asked_file *file);

#endif
