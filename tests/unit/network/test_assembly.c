/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "observe/network/assembly.h"

static const uint8_t text[] = "abcdefghijklmnopqrstuvwxyz";

static int add(struct assembly *assembly, size_t offset, size_t size)
{
	return assembly_add(assembly, 26, offset, text + offset, size);
}

static void pieces_in_any_order(void **state)
{
	struct assembly assembly = {0};

	(void)state;
	assert_int_equal(assembly_contiguous(&assembly), 0);
	assert_int_equal(add(&assembly, 20, 6), 0);
	assert_int_equal(add(&assembly, 5, 5), 0);
	assert_int_equal(assembly_contiguous(&assembly), 0);
	assert_int_equal(add(&assembly, 0, 7), 0);
	assert_int_equal(assembly_contiguous(&assembly), 10);
	assert_int_equal(add(&assembly, 8, 14), 0);
	assert_int_equal(assembly_contiguous(&assembly), 26);
	assert_int_equal(assembly.range_count, 1);
	assert_memory_equal(assembly.bytes, text, 26);
	assembly_free(&assembly);
}

static void what_is_there_stays(void **state)
{
	struct assembly assembly = {0};

	(void)state;
	assert_int_equal(add(&assembly, 4, 4), 0);
	assert_int_equal(assembly_add(&assembly, 26, 0, (const uint8_t *)"abcdX", 5), -EEXIST);
	assert_int_equal(assembly_contiguous(&assembly), 0);
	assert_int_equal(assembly_add(&assembly, 26, 7, (const uint8_t *)"Xi", 2), -EEXIST);
	assert_int_equal(add(&assembly, 0, 10), 0);
	assert_memory_equal(assembly.bytes, text, 10);
	assembly_free(&assembly);
}

static void bounds(void **state)
{
	struct assembly assembly = {0};

	(void)state;
	assert_int_equal(assembly_add(&assembly, 10, 8, text, 3), -ENOBUFS);
	assert_int_equal(assembly_add(&assembly, 10, 11, text, 0), 0);
	assert_int_equal(assembly_add(&assembly, 10, SIZE_MAX, text, 2), -ENOBUFS);
	assert_int_equal(assembly_add(&assembly, 10, 1, text, SIZE_MAX), -ENOBUFS);
	assert_null(assembly.bytes);
	for (size_t i = 0; i < ASSEMBLY_RANGES_MAX; i++)
		assert_int_equal(add(&assembly, 3 * i, 1), 0);
	assert_int_equal(add(&assembly, 20, 1), -ENOBUFS);
	assert_int_equal(add(&assembly, 1, 2), 0); /* closes a gap */
	assert_int_equal(add(&assembly, 20, 1), 0);
	assembly_free(&assembly);
}

static void consuming(void **state)
{
	struct assembly assembly = {0};

	(void)state;
	assert_int_equal(add(&assembly, 0, 8), 0);
	assert_int_equal(add(&assembly, 12, 4), 0);
	assembly_consume(&assembly, 9); /* more than there is: nothing */
	assert_int_equal(assembly_contiguous(&assembly), 8);
	assembly_consume(&assembly, 3);
	assert_int_equal(assembly_contiguous(&assembly), 5);
	assert_memory_equal(assembly.bytes, "defgh", 5);
	assembly_consume(&assembly, 5);
	assert_int_equal(assembly_contiguous(&assembly), 0);
	assert_int_equal(assembly_add(&assembly, 26, 0, text + 8, 4), 0);
	assert_int_equal(assembly_contiguous(&assembly), 8);
	assert_memory_equal(assembly.bytes, "ijklmnop", 8);
	assembly_free(&assembly);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_in_any_order),
		cmocka_unit_test(what_is_there_stays),
		cmocka_unit_test(bounds),
		cmocka_unit_test(consuming),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
