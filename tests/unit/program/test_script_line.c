/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "program/script_line.h"

static void lines_are_taken_as_the_kernel_takes_them(void **state)
{
	static const struct {
		const char *text;
		const char *interpreter; /* NULL: none */
		const char *argument;
	} cases[] = {
		{"#!/bin/sh\necho", "/bin/sh", ""},
		{"#!/bin/sh", "/bin/sh", ""},
		{"#! \t/bin/sh -e\n", "/bin/sh", "-e"},
		{"#!/bin/sh -e -u \t\n", "/bin/sh", "-e -u"},
		{"#!/usr/bin/env\tpython3\r\n", "/usr/bin/env", "python3\r"},
		{"#!/bin/sh \n-e", "/bin/sh", ""},
		{"#!\n/bin/sh", NULL, NULL},
		{"#!  \t \n", NULL, NULL},
		{"#!", NULL, NULL},
		{"#", NULL, NULL},
		{"", NULL, NULL},
		{"\x7f"
		 "ELF",
		 NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct script_line line;
		bool is_one = script_line_parse(cases[i].text, strlen(cases[i].text), &line);

		assert_int_equal(is_one, cases[i].interpreter != NULL);
		if (!is_one)
			continue;
		assert_string_equal(line.interpreter, cases[i].interpreter);
		assert_string_equal(line.argument, cases[i].argument);
	}
}

static void a_name_that_may_be_cut_is_none(void **state)
{
	char text[2 * SCRIPT_LINE_SIZE];
	struct script_line line;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "#!/", 3);
	assert_false(script_line_parse(text, sizeof(text), &line));
	/* its end is in sight: the rest is an argument, cut */
	text[SCRIPT_LINE_SIZE - 2] = ' ';
	assert_true(script_line_parse(text, sizeof(text), &line));
	assert_int_equal(strlen(line.interpreter), SCRIPT_LINE_SIZE - 4);
	assert_string_equal(line.argument, "x");
	text[20] = ' ';
	assert_true(script_line_parse(text, sizeof(text), &line));
	assert_int_equal(strlen(line.argument), SCRIPT_LINE_SIZE - 21);
}

static void what_env_starts(void **state)
{
	static const struct {
		const char *argument;
		size_t count;
		const char *first;
		const char *last;
	} cases[] = {
		{"python3", 1, "python3", "python3"},
		{"-S python3", 1, "python3", "python3"},
		{"-S  python3 \t-u -B", 3, "python3", "-B"},
		{"-Spython3 -u", 2, "python3", "-u"},
		{"", 0, NULL, NULL},
		{"-S", 0, NULL, NULL},
		{"python3 -u", 0, NULL, NULL},
		{"-i", 0, NULL, NULL},
		{"-S -i python3", 0, NULL, NULL},
		{"-S A=b python3", 0, NULL, NULL},
		{"-S python3 'a b'", 0, NULL, NULL},
		{"-S ${HOME}/x", 0, NULL, NULL},
		{"-S a b c d e f g h i", 0, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct script_line line = {0};
		char *words[SCRIPT_WORDS];

		(void)strcpy(line.argument, cases[i].argument);
		assert_int_equal(script_line_env_words(&line, words), cases[i].count);
		if (!cases[i].count)
			continue;
		assert_string_equal(words[0], cases[i].first);
		assert_string_equal(words[cases[i].count - 1], cases[i].last);
	}
}

static void every_cut_and_many_flips_are_safe(void **state)
{
	static const char text[] = "#!/usr/bin/env -S python3 -u 'x' \\ y\n";

	(void)state;
	srand(3);
	for (int i = 0; i < 50000; i++) {
		size_t size = (size_t)rand() % sizeof(text);
		char *cut = malloc(size + 1);
		struct script_line line;
		char *words[SCRIPT_WORDS];

		assert_non_null(cut);
		memcpy(cut, text, size);
		for (int flips = rand() % 4; size && flips > 0; flips--)
			cut[(size_t)rand() % size] = (char)rand();
		if (script_line_parse(cut, size, &line))
			(void)script_line_env_words(&line, words);
		free(cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_taken_as_the_kernel_takes_them),
		cmocka_unit_test(a_name_that_may_be_cut_is_none),
		cmocka_unit_test(what_env_starts),
		cmocka_unit_test(every_cut_and_many_flips_are_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
