/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/verdict_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define WAYS 4

struct verdict_cache {
	size_t sets;
	uint64_t clock;
	uint64_t secret; /* who makes files cannot choose whose neighbours they are */
	struct verdict_entry entries[][WAYS];
};

int verdict_cache_new(size_t sets, struct verdict_cache **ret_cache)
{
	struct verdict_cache *cache;

	if (!sets || sets & (sets - 1) || sets > SIZE_MAX / 2 / sizeof(cache->entries[0]))
		return -EINVAL;
	cache = calloc(1, sizeof(*cache) + sets * sizeof(cache->entries[0]));
	if (!cache)
		return -ENOMEM;
	cache->sets = sets;
	if (getrandom(&cache->secret, sizeof(cache->secret), GRND_NONBLOCK) < 0)
		cache->secret = (uintptr_t)cache;
	*ret_cache = cache;
	return 0;
}

void verdict_cache_free(struct verdict_cache *cache)
{
	free(cache);
}

/* The finalizer of MurmurHash3 (Appleby), keyed. */
static uint64_t mix(uint64_t word)
{
	word ^= word >> 33;
	word *= UINT64_C(0xff51afd7ed558ccd);
	word ^= word >> 33;
	word *= UINT64_C(0xc4ceb9fe1a85ec53);
	return word ^ word >> 33;
}

/* By device and inode alone, so that all states of a file are neighbours. */
static struct verdict_entry *set_of(struct verdict_cache *cache, uint64_t device, uint64_t inode)
{
	uint64_t hash = mix(mix(inode ^ cache->secret) + mix(device + cache->secret));

	return cache->entries[hash & (cache->sets - 1)];
}

struct verdict_entry *verdict_cache_find(struct verdict_cache *cache, const struct file_key *key)
{
	struct verdict_entry *set = set_of(cache, key->device, key->inode);

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].used && file_key_equal(&set[i].key, key)) {
			set[i].touched = ++cache->clock;
			return &set[i];
		}
	}
	return NULL;
}

struct verdict_entry *verdict_cache_add(struct verdict_cache *cache, const struct file_key *key)
{
	struct verdict_entry *set = set_of(cache, key->device, key->inode);
	struct verdict_entry *entry = verdict_cache_find(cache, key);

	if (entry)
		return entry;
	entry = set;
	for (size_t i = 1; entry->used && i < WAYS; i++)
		if (!set[i].used || set[i].touched < entry->touched)
			entry = &set[i];
	*entry = (struct verdict_entry){.key = *key, .used = 1, .touched = ++cache->clock};
	return entry;
}

void verdict_cache_clear(struct verdict_cache *cache)
{
	for (size_t set = 0; set < cache->sets; set++)
		for (size_t i = 0; i < WAYS; i++)
			cache->entries[set][i].used = 0;
}

void verdict_cache_forget(struct verdict_cache *cache, uint64_t device, uint64_t inode)
{
	struct verdict_entry *set = set_of(cache, device, inode);

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].used && set[i].key.device == device && set[i].key.inode == inode)
			set[i].used = 0;
}
