/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUARD_KERNEL_CACHE_H
#define GUARD_KERNEL_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "guard/guard.h"
#include "program/file_key.h"

/*
 * The kernel as the cache of verdicts: an ignore mark on a file makes it ask no more until the file
 * is written to. A store through a mapping does not end the mark: therefore the file is marked only
 * while nobody can write to it, and the mark also brings FAN_CLOSE_WRITE.
 */
struct kernel_cache {
	int fanotify;
	uint64_t open_bit; /* what the group calls these events */
	uint64_t exec_bit;
	bool without_evictable; /* before Linux 5.19: each mark keeps its inode in memory */
};

enum kernel_mark {
	KERNEL_MARK_OPEN = 1 << 0,
	KERNEL_MARK_EXEC = 1 << 1,
};

void kernel_cache_init(struct kernel_cache *cache, int fanotify, enum guard_mode mode);

/* Marks an open file that still has the key. What is never marked, because its open is a check
 * point, and files that somebody can write to, are left alone. Returns whether it is marked. */
bool kernel_cache_mark(struct kernel_cache *cache, int fd, const struct file_key *key,
		       unsigned int marks);
void kernel_cache_unmark(struct kernel_cache *cache, int fd);

#endif
