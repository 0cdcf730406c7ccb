/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/process_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static void paths_are_what_proc_calls_them(void **state)
{
	char path[PROCESS_PATH_SIZE];

	(void)state;
	process_path(path, 1, "exe");
	assert_string_equal(path, "/proc/1/exe");
	process_path(path, 10, "stat");
	assert_string_equal(path, "/proc/10/stat");
	process_path(path, 4194304, "fd/1023");
	assert_string_equal(path, "/proc/4194304/fd/1023");
	process_path(path, INT_MAX, "task");
	assert_string_equal(path, "/proc/2147483647/task");
	process_path(path, 0, "exe");
	assert_string_equal(path, "/proc/0/exe");
}

static void long_names_are_cut(void **state)
{
	char path[PROCESS_PATH_SIZE + 1];
	char name[200];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	path[PROCESS_PATH_SIZE] = '!';
	process_path(path, INT_MAX, name);
	assert_int_equal(strlen(path), PROCESS_PATH_SIZE - 1);
	assert_int_equal(path[PROCESS_PATH_SIZE], '!');
}

static void links_lead_where_they_do(void **state)
{
	char here[4096] = "";
	char path[4096];

	(void)state;
	assert_non_null(getcwd(here, sizeof(here)));
	process_read_link(getpid(), "cwd", path, sizeof(path));
	assert_string_equal(path, here);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_what_proc_calls_them),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(links_lead_where_they_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
