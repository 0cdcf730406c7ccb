/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/heap.h"

#define ITEMS 500

static void what_is_due_first_comes_first(void **state)
{
	struct heap_item items[ITEMS] = {0};
	struct heap heap = {0};
	uint64_t last = 0;
	size_t left = ITEMS;

	(void)state;
	assert_null(heap_first(&heap));
	srand(1);
	for (size_t i = 0; i < ITEMS; i++)
		assert_int_equal(heap_put(&heap, &items[i], (uint64_t)(rand() % 300)), 0);
	while (heap_first(&heap)) {
		struct heap_item *first = heap_first(&heap);

		assert_true(first->due >= last);
		last = first->due;
		assert_true(heap_has(first));
		heap_take(&heap, first);
		assert_false(heap_has(first));
		left--;
	}
	assert_int_equal(left, 0);
	heap_free(&heap);
}

/* After any change the first is the smallest of those that are in. */
static void items_move_and_leave_from_anywhere(void **state)
{
	struct heap_item items[ITEMS] = {0};
	struct heap heap = {0};

	(void)state;
	srand(2);
	for (int round = 0; round < 20000; round++) {
		struct heap_item *item = &items[rand() % ITEMS];
		uint64_t smallest = UINT64_MAX;
		size_t count = 0;

		if (rand() % 3 == 0)
			heap_take(&heap, item);
		else
			assert_int_equal(heap_put(&heap, item, (uint64_t)(rand() % 1000)), 0);
		if (round % 16)
			continue;
		for (size_t i = 0; i < ITEMS; i++) {
			if (!heap_has(&items[i]))
				continue;
			count++;
			if (items[i].due < smallest)
				smallest = items[i].due;
		}
		assert_int_equal(heap.count, count);
		if (count)
			assert_true(heap_first(&heap)->due == smallest);
	}
	heap_free(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_due_first_comes_first),
		cmocka_unit_test(items_move_and_leave_from_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
