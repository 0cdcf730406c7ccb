/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/map.h"

static void count_dispose(void *value, void *context)
{
	*(int *)context += *(int *)value;
}

static void oldest_goes_first_and_is_counted(void **state)
{
	struct map *map;
	int disposed = 0;
	int key;

	(void)state;
	assert_int_equal(map_new(&map, 3, sizeof(int), count_dispose, &disposed), 0);
	for (key = 1; key <= 3; key++)
		*(int *)map_add(map, &key, sizeof(key)) = key;
	key = 1;
	assert_non_null(map_find(map, &key, sizeof(key))); /* 2 is the oldest now */
	key = 4;
	*(int *)map_add(map, &key, sizeof(key)) = key;
	assert_int_equal(map_count(map), 3);
	assert_int_equal(map_evicted(map), 1);
	assert_int_equal(disposed, 2);
	key = 2;
	assert_null(map_find(map, &key, sizeof(key)));
	map_free(map);
	assert_int_equal(disposed, 2 + 1 + 3 + 4);
}

static void peeking_leaves_the_order(void **state)
{
	struct map *map;
	int key;

	(void)state;
	assert_int_equal(map_new(&map, 2, sizeof(int), NULL, NULL), 0);
	for (key = 1; key <= 2; key++)
		*(int *)map_add(map, &key, sizeof(key)) = key;
	key = 1;
	assert_int_equal(*(int *)map_peek(map, &key, sizeof(key)), 1);
	assert_int_equal(*(int *)map_next(map, NULL), 1);
	key = 3;
	assert_null(map_peek(map, &key, sizeof(key)));
	(void)map_add(map, &key, sizeof(key));
	key = 1;
	assert_null(map_peek(map, &key, sizeof(key)));
	map_free(map);
}

static void survives_growth_and_removal(void **state)
{
	struct map *map;
	uint32_t sum = 0;

	(void)state;
	assert_int_equal(map_new(&map, 100000, sizeof(uint32_t), NULL, NULL), 0);
	for (uint32_t i = 0; i < 10000; i++)
		*(uint32_t *)map_add(map, &i, sizeof(i)) = i;
	for (uint32_t i = 0; i < 10000; i += 2)
		map_remove(map, &i, sizeof(i));
	for (uint32_t i = 0; i < 10000; i++) {
		uint32_t *value = map_find(map, &i, sizeof(i));

		if (i % 2)
			assert_int_equal(*value, i);
		else
			assert_null(value);
	}
	for (uint32_t *value = map_next(map, NULL); value;) {
		uint32_t *next = map_next(map, value);

		sum += *value;
		map_remove_value(map, value);
		value = next;
	}
	assert_int_equal(sum, 25000000);
	assert_int_equal(map_count(map), 0);
	map_free(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oldest_goes_first_and_is_counted),
		cmocka_unit_test(peeking_leaves_the_order),
		cmocka_unit_test(survives_growth_and_removal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
