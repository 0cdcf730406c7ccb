/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/heap.h"

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"

void heap_free(struct heap *heap)
{
	free(heap->items);
	*heap = (struct heap){0};
}

/* Places count from 1: the children of P are 2P and 2P + 1. */
static void set(struct heap *heap, size_t place, struct heap_item *item)
{
	heap->items[place - 1] = item;
	item->place = place;
}

static struct heap_item *get(const struct heap *heap, size_t place)
{
	return heap->items[place - 1];
}

static void move_up(struct heap *heap, struct heap_item *item)
{
	size_t place = item->place;

	while (place > 1 && get(heap, place / 2)->due > item->due) {
		set(heap, place, get(heap, place / 2));
		place /= 2;
	}
	set(heap, place, item);
}

static void move_down(struct heap *heap, struct heap_item *item)
{
	size_t place = item->place;

	for (;;) {
		size_t child = 2 * place;

		if (child < heap->count && get(heap, child + 1)->due < get(heap, child)->due)
			child++;
		if (child > heap->count || get(heap, child)->due >= item->due)
			break;
		set(heap, place, get(heap, child));
		place = child;
	}
	set(heap, place, item);
}

int heap_put(struct heap *heap, struct heap_item *item, uint64_t due)
{
	if (!heap_has(item)) {
		if (array_reserve(&heap->items, &heap->capacity, heap->count,
				  sizeof(struct heap_item *)) < 0)
			return -ENOMEM;
		set(heap, ++heap->count, item);
	}
	item->due = due;
	move_up(heap, item);
	move_down(heap, item);
	return 0;
}

void heap_take(struct heap *heap, struct heap_item *item)
{
	size_t place = item->place;
	struct heap_item *last;

	if (!heap_has(item))
		return;
	item->place = 0;
	last = get(heap, heap->count--);
	if (last == item)
		return;
	set(heap, place, last);
	move_up(heap, last);
	move_down(heap, last);
}

struct heap_item *heap_first(const struct heap *heap)
{
	return heap->count > 0 ? get(heap, 1) : NULL;
}
