/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROGRAM_FILE_FACTS_H
#define PROGRAM_FILE_FACTS_H

#include <stdint.h>
#include <sys/types.h>

#include "program/file_key.h"

/* What the kernel knows of a file without asking whoever serves its filesystem. */
struct file_facts {
	struct file_key key;
	uint64_t mount; /* 0: the kernel does not say (before 5.8) */
	mode_t mode;
	uint32_t owner;
};

/* As statx(2) has them; AT_EMPTY_PATH with "" means directory itself. 0 or negative errno. */
int file_facts_at(int directory, const char *path, struct file_facts *ret_facts);

#endif
