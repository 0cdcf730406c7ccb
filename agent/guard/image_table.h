/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUARD_IMAGE_TABLE_H
#define GUARD_IMAGE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "enforce/program_policy.h"
#include "program/file_key.h"
#include "report/finding.h"

/*
 * What was found out about what processes run, so that each image is checked once. An exec makes
 * another image, also of the same program in the same process: where the kernel puts the stack and
 * the arguments tells them apart. A fork goes on with its parent's image.
 */
#define IMAGE_SCRIPT_SIZE 256

struct image {
	pid_t pid;
	uint64_t started_ns;
	uint64_t mark; /* process_stat.image_mark */
	struct file_key key;

	struct content content;
	enum finding_kind verdict;
	/* The script that its arguments name: that file is code, whatever it looks like. "": none.
	 * Where the name is too long to be kept every file is. */
	char script[IMAGE_SCRIPT_SIZE];
	bool script_is_long;
	uint64_t touched;
};

/* The kernel read a "#!" line for this process's exec, and goes on to its interpreter. */
struct script_exec {
	pid_t pid;
	struct content content;
	bool chained; /* more than one such file: the arguments cannot be foretold */
	char interpreter[256];
	char option[256];
};

struct image_table;

int image_table_new(size_t limit, struct image_table **ret_table);
void image_table_free(struct image_table *table);

/* of: pid, started_ns, mark and key. Pointers are valid until the next add. */
struct image *image_table_find(struct image_table *table, const struct image *of);

/* The image of a process that it was forked from: the same but for pid and start; parent: 0 for
 * any. */
struct image *image_table_inherit(struct image_table *table, const struct image *of, pid_t parent);
struct image *image_table_add(struct image_table *table, const struct image *image);
void image_table_forget(struct image_table *table, pid_t pid);

/* The note about a process's script, NULL for none; made when make is set, but for pid 0. */
struct script_exec *image_table_script(struct image_table *table, pid_t pid, bool make);
void image_table_end_script(struct image_table *table, pid_t pid);

#endif
