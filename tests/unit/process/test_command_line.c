/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <unistd.h>

#include "process/command_line.h"

static struct command_line line;

static int split(const char *bytes, size_t size)
{
	memset(&line, 0, sizeof(line));
	memcpy(line.bytes, bytes, size);
	line.size = size;
	return command_line_split(&line);
}

static void takes_words_apart(void **state)
{
	(void)state;
	assert_int_equal(split("sh\0-c\0\0x", 8), 0);
	assert_int_equal(line.arguments.count, 4);
	assert_string_equal(line.arguments.vector[1], "-c");
	assert_string_equal(line.arguments.vector[2], "");
	assert_string_equal(line.arguments.vector[3], "x");
	assert_false(line.arguments.is_cut);
	assert_int_equal(split("", 0), -ENOENT);
}

static void is_bounded(void **state)
{
	char many[2 * (ARGUMENTS_LIMIT + 1)];
	char *longest = calloc(1, ARGUMENT_SIZE_LIMIT + 8);

	(void)state;
	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = i % 2 ? '\0' : 'a';
	assert_int_equal(split(many, sizeof(many) - 2), 0);
	assert_int_equal(line.arguments.count, ARGUMENTS_LIMIT);
	assert_false(line.arguments.is_cut);
	assert_int_equal(split(many, sizeof(many)), 0);
	assert_int_equal(line.arguments.count, ARGUMENTS_LIMIT);
	assert_true(line.arguments.is_cut);
	assert_non_null(longest);
	longest[0] = 'a';
	memset(longest + 2, 'b', ARGUMENT_SIZE_LIMIT + 1);
	assert_int_equal(split(longest, ARGUMENT_SIZE_LIMIT + 4), 0);
	assert_int_equal(line.arguments.count, 1);
	assert_true(line.arguments.is_cut);
	free(longest);
}

static void puts_a_script_in_front(void **state)
{
	(void)state;
	assert_int_equal(split("x\0one\0", 6), 0);
	assert_int_equal(command_line_through_script(&line, "/bin/sh", "-e", "/job"), 0);
	assert_int_equal(line.arguments.count, 4);
	assert_string_equal(line.arguments.vector[0], "/bin/sh");
	assert_string_equal(line.arguments.vector[1], "-e");
	assert_string_equal(line.arguments.vector[2], "/job");
	assert_string_equal(line.arguments.vector[3], "one");
	assert_int_equal(split("x\0one\0", 6), 0);
	assert_int_equal(command_line_through_script(&line, "/bin/sh", "", "/job"), 0);
	assert_int_equal(line.arguments.count, 3);
	line.size = sizeof(line.bytes) - 4;
	assert_int_equal(command_line_through_script(&line, "/bin/sh", "", "/job"), -E2BIG);
}

static void reads_a_process(void **state)
{
	(void)state;
	assert_int_equal(command_line_read(&line, NULL, getpid()), 0);
	assert_true(line.arguments.count >= 1);
	assert_non_null(strstr(line.arguments.vector[0], "test_command_line"));
	assert_true(command_line_read(&line, NULL, 0x7ffffff0) < 0);
	/* it runs, and is in no call that could be read */
	assert_int_equal(command_line_of_exec(&line, NULL, getpid()), -EAGAIN);
	assert_false(process_opens_to_write(NULL, getpid()));
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(takes_words_apart),
		cmocka_unit_test(is_bounded),
		cmocka_unit_test(puts_a_script_in_front),
		cmocka_unit_test(reads_a_process),
	};

	return cmocka_run_group_tests_name("command_line", all, NULL, NULL);
}
