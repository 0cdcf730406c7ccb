/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUARD_VERDICT_CACHE_H
#define GUARD_VERDICT_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "enforce/program_policy.h"
#include "program/file_key.h"

/*
 * What content a file has, by its key, for files that were hashed. All memory is taken at the
 * start; what was used longest ago of a few neighbours makes room.
 */
struct verdict_cache;

struct verdict_entry {
	struct file_key key;
	struct content content;
	uint8_t nature; /* enum file_nature */
	uint8_t marked; /* enum kernel_mark: what the kernel was told */
	uint8_t used;
	uint8_t sha256[32];
	uint64_t touched;
};

/* sets: of four entries, a power of two. Returns 0 or -ENOMEM. */
int verdict_cache_new(size_t sets, struct verdict_cache **ret_cache);
void verdict_cache_free(struct verdict_cache *cache);

/* The entry, valid until the next add; NULL when there is none. */
struct verdict_entry *verdict_cache_find(struct verdict_cache *cache, const struct file_key *key);

/* A zeroed one for the key (or the one it has). */
struct verdict_entry *verdict_cache_add(struct verdict_cache *cache, const struct file_key *key);

void verdict_cache_clear(struct verdict_cache *cache);

/* Forgets all states of a file. */
void verdict_cache_forget(struct verdict_cache *cache, uint64_t device, uint64_t inode);

#endif
