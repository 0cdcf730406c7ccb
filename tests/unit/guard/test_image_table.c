/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guard/image_table.h"

static const struct image first = {
	.pid = 10, .started_ns = 100, .mark = 7, .key = {.device = 1, .inode = 2}};

static void knows_one_image_of_one_process(void **state)
{
	struct image_table *table;
	struct image other;

	(void)state;
	assert_int_equal(image_table_new(4, &table), 0);
	(void)image_table_add(table, &first);
	assert_non_null(image_table_find(table, &first));
	/* the number used anew, another exec, another program */
	other = first;
	other.started_ns = 101;
	assert_null(image_table_find(table, &other));
	other = first;
	other.mark = 8;
	assert_null(image_table_find(table, &other));
	other = first;
	other.key.inode = 3;
	assert_null(image_table_find(table, &other));
	/* a fork goes on with its parent's, and with nobody else's */
	other = first;
	other.pid = 11;
	assert_non_null(image_table_inherit(table, &other, 10));
	assert_null(image_table_inherit(table, &other, 12));
	assert_non_null(image_table_inherit(table, &other, 0));
	image_table_forget(table, 10);
	assert_null(image_table_find(table, &first));
	assert_null(image_table_inherit(table, &other, 0));
	image_table_free(table);
}

static void keeps_those_used_last(void **state)
{
	struct image_table *table;
	struct image image = first;

	(void)state;
	assert_int_equal(image_table_new(2, &table), 0);
	(void)image_table_add(table, &first);
	image.pid = 20;
	(void)image_table_add(table, &image);
	assert_non_null(image_table_find(table, &first));
	image.pid = 30;
	(void)image_table_add(table, &image);
	assert_non_null(image_table_find(table, &first));
	image.pid = 20;
	assert_null(image_table_find(table, &image));
	image_table_free(table);
}

static void notes_scripts(void **state)
{
	struct image_table *table;

	(void)state;
	assert_int_equal(image_table_new(2, &table), 0);
	assert_null(image_table_script(table, 5, false));
	image_table_script(table, 5, true)->chained = true;
	assert_true(image_table_script(table, 5, false)->chained);
	assert_null(image_table_script(table, 6, false));
	image_table_end_script(table, 5);
	assert_null(image_table_script(table, 5, false));
	/* processes of another namespace have no number to be told apart by */
	assert_null(image_table_script(table, 0, true));
	assert_null(image_table_script(table, 0, false));
	image_table_free(table);
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(knows_one_image_of_one_process),
		cmocka_unit_test(keeps_those_used_last),
		cmocka_unit_test(notes_scripts),
	};

	return cmocka_run_group_tests_name("image_table", all, NULL, NULL);
}
