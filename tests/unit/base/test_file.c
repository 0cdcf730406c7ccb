/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

static void replaces_in_one_step(void **state)
{
	char directory[] = "/tmp/rtguard-test-XXXXXX";
	char path[64];
	struct error error = {0};
	char *bytes;
	size_t size;

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/file", directory);
	assert_int_equal(file_replace(path, "one", 3, &error), 0);
	assert_int_equal(file_replace(path, "three", 5, &error), 0);
	assert_int_equal(file_read(path, 100, &bytes, &size, &error), 0);
	assert_int_equal(size, 5);
	assert_string_equal(bytes, "three");
	free(bytes);
	assert_int_equal(file_read(path, 4, &bytes, &size, &error), -EFBIG);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0); /* and no temporary file was left */
}

static void errors_name_the_file(void **state)
{
	struct error error = {0};

	(void)state;
	assert_int_equal(file_read("/tmp", 100, &(char *){NULL}, &(size_t){0}, &error), -EISDIR);
	assert_non_null(strstr(error.message, "is a directory"));
	assert_int_equal(file_replace("/nonexistent/file", "x", 1, &error), -ENOENT);
	assert_non_null(strstr(error.message, "/nonexistent/file"));
}

static void directories_are_made_with_those_above(void **state)
{
	char base[] = "/tmp/test_file.XXXXXX";
	char path[64];
	struct stat status;

	(void)state;
	assert_non_null(mkdtemp(base));
	(void)snprintf(path, sizeof(path), "%s/a/b", base);
	assert_int_equal(directory_make(path, 0700, NULL), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_true(S_ISDIR(status.st_mode));
	assert_int_equal(status.st_mode & 07777, 0700);
	assert_int_equal(directory_make(path, 0755, NULL), 0); /* is there */
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	assert_int_equal(directory_make("/dev/null", 0700, NULL), -ENOTDIR);
	assert_int_equal(directory_make("/dev/null/below", 0700, NULL), -ENOTDIR);
	assert_int_equal(rmdir(path), 0);
	(void)snprintf(path, sizeof(path), "%s/a", base);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(base), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replaces_in_one_step),
		cmocka_unit_test(errors_name_the_file),
		cmocka_unit_test(directories_are_made_with_those_above),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
