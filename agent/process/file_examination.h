/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROCESS_FILE_EXAMINATION_H
#define PROCESS_FILE_EXAMINATION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "program/file_facts.h"

/*
 * A whole file read at once, wherever it lies. Finding, opening and reading it may have no end: for
 * a child that can be ended, which dies of no SIGIO (somebody wants a file that is held).
 */
struct file_report {
	/* 0: sha256 holds. -ENOENT, -ENOTDIR: there is none; -EINVAL: no regular file; -EFBIG;
	 * -EXDEV: a process would answer (FUSE); other errors of reading. */
	int32_t result;
	bool settled;	/* facts.key stands for this content until it changes */
	uint8_t nature; /* enum file_nature, by its beginning */
	uint8_t sha256[32];
	struct file_facts facts;
};

/* An O_PATH descriptor of it; size_limit in bytes. */
void file_examine(int place, uint64_t size_limit, struct file_report *ret_report);

/* name: as the process has it (see named_file.h), or NULL for what it runs. */
void file_examine_of(pid_t pid, const char *name, uint64_t size_limit,
		     struct file_report *ret_report);

#endif
