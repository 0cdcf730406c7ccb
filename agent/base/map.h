/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

/*
 * A bounded hash table from byte strings to values of one fixed size. When it is full the entry
 * that was touched longest ago makes room and is counted, so that a hostile network can push out
 * what it pushed in and never grow the process. Hashing is keyed with a random secret.
 */
struct map;

/* Called with a value that is about to go (evicted, removed, or map_free). May be NULL. */
typedef void (*map_dispose_fn)(void *value, void *context);

/* limit: most entries at a time (at least 1). Returns 0 or -ENOMEM. */
int map_new(struct map **ret_map, size_t limit, size_t value_size, map_dispose_fn dispose,
	    void *context);
void map_free(struct map *map);

/* The value under the key, or NULL. Counts as a touch. The pointer stays valid until that entry is
 * removed or evicted: entries never move. */
void *map_find(struct map *map, const void *key, size_t key_size);

/* The same without counting as a touch: a table read only through this one stays in the order in
 * which its entries were made. */
void *map_peek(const struct map *map, const void *key, size_t key_size);

/* The value under the key, made and zeroed if it was not there. NULL only when memory is out. */
void *map_add(struct map *map, const void *key, size_t key_size);

void map_remove(struct map *map, const void *key, size_t key_size);
void map_clear(struct map *map);

size_t map_count(const struct map *map);
uint64_t map_evicted(const struct map *map);

/* Walks from the entry touched longest ago to the newest: start with NULL, end with NULL. The entry
 * last returned may be removed with map_remove_value() after fetching its successor. */
void *map_next(const struct map *map, const void *value);

/* The key under which a value of this map is kept. */
const void *map_key(const void *value, size_t *ret_key_size);
void map_remove_value(struct map *map, void *value);

#endif
