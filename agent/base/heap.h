/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is due first: a binary heap of items that live in the caller's structures. Everything takes
 * O(log n). A zeroed struct heap is empty, a zeroed item is in none.
 */
struct heap_item {
	uint64_t due;
	size_t place; /* 1 is the top; 0: in no heap */
};

struct heap {
	struct heap_item **items;
	size_t count;
	size_t capacity;
};

/* Frees the heap's own memory; the items are the caller's. */
void heap_free(struct heap *heap);

/* Puts an item in, or moves one that is in already. Returns 0 or -ENOMEM: nothing is changed;
 * moving never fails. */
int heap_put(struct heap *heap, struct heap_item *item, uint64_t due);

/* Takes an item out; one that is not in is left alone. */
void heap_take(struct heap *heap, struct heap_item *item);

/* The one that is due first, or NULL. */
struct heap_item *heap_first(const struct heap *heap);

static inline bool heap_has(const struct heap_item *item)
{
	return item->place != 0;
}

#endif
