/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "command_doubles.h"
#include "commands/options.h"

struct got {
	bool loud;
	const char *output;
	uint64_t cycle_ns;
	const char *items[8];
	struct option_list files;
};

static bool read_words(struct got *got, const char *const *words, int *ret_code)
{
	const struct command_option options[] = {
		{"loud", .value = &got->loud},
		{"output", 'o', option_take_text, &got->output, NULL},
		{"cycle", 'c', option_take_duration, &got->cycle_ns, EXPECTED_DURATION},
		{"file", 'f', option_take_listed, &got->files, NULL},
	};
	char *argv[9] = {0};
	int argc = 0;

	complaint[0] = '\0';
	*got = (struct got){.output = "default"};
	got->files.items = got->items;
	for (; words[argc]; argc++)
		memcpy(&argv[argc], &words[argc], sizeof(char *));
	return options_read(options, array_length(options), argc, argv, ret_code);
}

static void each_fills_its_place(void **state)
{
	const char *words[] = {"learn", "-c", "90s", "--loud", "-fone", "--file=two", "rest", NULL};
	struct got got;
	int code;

	(void)state;
	assert_true(read_words(&got, words, &code));
	assert_true(got.loud);
	assert_string_equal(got.output, "default");
	assert_int_equal(got.cycle_ns, 90000000000);
	assert_int_equal(got.files.count, 2);
	assert_string_equal(got.items[0], "one");
	assert_string_equal(got.items[1], "two");
	assert_int_equal(optind, 6);
}

static void wrong_words_are_named(void **state)
{
	static const struct {
		const char *words[4];
		const char *complaint;
	} cases[] = {
		{{"learn", "--cycle", "soon"},
		 "learn: --cycle soon: expected a duration such as 90s, 10m, 24h or 7d"},
		{{"learn", "-c", "0"},
		 "learn: --cycle 0: expected a duration such as 90s, 10m, 24h or 7d"},
		{{"learn", "--output"}, "learn: --output: something has to follow it"},
		{{"learn", "-x"}, "learn: -x: not an option of this command"},
		{{"learn", "--quiet"}, "learn: --quiet: not an option of this command"},
		{{"learn", "--loud=3"}, "learn: --loud=3: not an option of this command"},
	};
	struct got got;
	int code;

	(void)state;
	for (size_t i = 0; i < array_length(cases); i++) {
		assert_false(read_words(&got, cases[i].words, &code));
		assert_int_equal(code, EXIT_TROUBLE);
		assert_string_equal(complaint, cases[i].complaint);
	}
}

static void help_needs_no_line(void **state)
{
	const char *words[] = {"learn", "-h", NULL};
	const char *long_words[] = {"learn", "--help", NULL};
	struct got got;
	int code;

	(void)state;
	assert_false(read_words(&got, words, &code));
	assert_int_equal(code, EXIT_FINE);
	assert_string_equal(complaint, "help of learn");
	assert_false(read_words(&got, long_words, &code));
	assert_string_equal(complaint, "help of learn");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fills_its_place),
		cmocka_unit_test(wrong_words_are_named),
		cmocka_unit_test(help_needs_no_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
