/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SWEEP_HASH_HELPER_H
#define SWEEP_HASH_HELPER_H

#include <stdint.h>
#include <sys/types.h>

#include "loop/loop.h"
#include "process/file_examination.h"

/*
 * Files whose servers need not answer (network filesystems, other mount namespaces) are read by a
 * child each: it may wait, and is ended when it waits too long.
 */
struct hash_helpers;

#define HASH_HELPERS_LIMIT     32 /* at a time; one more ends the oldest */
#define HASH_HELPER_TIMEOUT_NS (10 * NS_PER_S)

struct hash_task {
	int place; /* O_PATH descriptor, or negative: by name */
	pid_t pid; /* whose name it is, see named_file.h */
	const char *name;
	uint64_t size_limit; /* bytes */
};

/* report->result may be -ETIMEDOUT, too. Called exactly once, from the loop, unless
 * hash_helpers_free() comes first. */
typedef void (*hash_report_fn)(void *context, const struct file_report *report);

int hash_helpers_new(struct loop *loop, struct hash_helpers **ret_helpers);
void hash_helpers_free(struct hash_helpers *helpers);

/* The place stays the caller's. Returns 0 or negative errno: then nothing is called. */
int hash_helpers_start(struct hash_helpers *helpers, const struct hash_task *task,
		       hash_report_fn done, void *context);

#endif
