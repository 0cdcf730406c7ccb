/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>

#include "program/arguments.h"

static void names_with_versions(void **state)
{
	static const struct {
		const char *path;
		enum program_class class;
	} cases[] = {
		{"/usr/bin/dash", PROGRAM_INTERPRETER},
		{"/usr/bin/python3.11", PROGRAM_INTERPRETER},
		{"/usr/bin/perl5.36.0", PROGRAM_INTERPRETER},
		{"/usr/bin/bash-static", PROGRAM_INTERPRETER},
		{"/usr/sbin/php-fpm8.2", PROGRAM_INTERPRETER},
		{"/lib/ld-linux-aarch64.so.1", PROGRAM_INTERPRETER},
		{"/lib/ld-musl-armhf.so.1", PROGRAM_INTERPRETER},
		{"/usr/bin/qemu-arm-static", PROGRAM_INTERPRETER},
		{"/usr/bin/env", PROGRAM_INTERPRETER},
		{"/bin/busybox.nosuid", PROGRAM_MULTI_CALL},
		{"/bin/toybox", PROGRAM_MULTI_CALL},
		{"/usr/sbin/sshd", PROGRAM_ORDINARY},
		{"/usr/bin/shred", PROGRAM_ORDINARY},
		{"/usr/bin/pythonista", PROGRAM_ORDINARY},
		{"/usr/bin/envsubst", PROGRAM_ORDINARY},
		{"/opt/sh/daemon", PROGRAM_ORDINARY},
		{"", PROGRAM_ORDINARY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(program_class_by_name(cases[i].path), cases[i].class);
}

/* Words separated by spaces, as a vector. */
static struct arguments split(const char *words)
{
	struct arguments arguments;
	char bytes[256];
	size_t size = strlen(words) + 1;

	memcpy(bytes, words, size);
	for (size_t i = 0; i < size; i++)
		if (bytes[i] == ' ')
			bytes[i] = '\0';
	assert_int_equal(arguments_parse(bytes, size, &arguments), 0);
	return arguments;
}

static void finds_the_script(void **state)
{
	static const struct {
		const char *program;
		const char *words;
		const char *script;
	} cases[] = {
		{"/bin/dash", "sh script", "script"},
		{"/bin/dash", "sh -e script -c", "script"},
		{"/bin/dash", "sh -c script", NULL},
		{"/bin/dash", "sh -ec script", NULL},
		{"/bin/dash", "sh -o errexit script", "script"},
		{"/bin/dash", "sh", NULL},
		{"/bin/dash", "sh -- -script", "-script"},
		{"/bin/dash", "sh --", NULL},
		{"/bin/dash", "sh -s word", NULL},
		{"/bin/dash", "sh - word", NULL},
		{"/bin/bash", "bash --norc script", "script"},
		{"/usr/bin/python3.11", "python3 -W ignore -u app.py", "app.py"},
		{"/usr/bin/python3.11", "python3 -Wignore app.py", "app.py"},
		{"/usr/bin/python3.11", "python3 -m http.server", NULL},
		{"/usr/bin/perl", "perl -I lib -w a.pl", "a.pl"},
		{"/usr/bin/perl", "perl -we 1", NULL},
		{"/usr/bin/mawk", "awk -f prog data", "prog"},
		{"/usr/bin/mawk", "awk -fprog data", "prog"},
		{"/usr/bin/mawk", "awk -f", NULL},
		{"/usr/bin/mawk", "awk {print} data", NULL},
		{"/bin/busybox", "busybox sh script", "script"},
		{"/bin/busybox", "sh script", "script"},
		{"/bin/busybox", "-sh script", "script"},
		{"/bin/busybox", "cat file", NULL},
		{"/bin/busybox", "busybox", NULL},
		{"/usr/bin/env", "env file", NULL},
		{"/usr/sbin/sshd", "sshd file", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arguments arguments = split(cases[i].words);
		const char *script = script_argument(cases[i].program, &arguments);

		if (cases[i].script) {
			assert_non_null(script);
			assert_string_equal(script, cases[i].script);
		} else {
			assert_null(script);
		}
		arguments_clear(&arguments);
	}
}

static void limits_and_bad_text(void **state)
{
	struct arguments arguments;
	char *large = calloc(1, ARGUMENT_SIZE_LIMIT + 2);
	char many[2 * (ARGUMENTS_LIMIT + 1)];

	(void)state;
	assert_int_equal(arguments_parse("", 0, &arguments), -ENOENT);
	assert_int_equal(arguments_parse("a\0\xff", 4, &arguments), -EILSEQ);
	memset(large, 'x', ARGUMENT_SIZE_LIMIT);
	assert_int_equal(arguments_parse(large, ARGUMENT_SIZE_LIMIT + 1, &arguments), 0);
	arguments_clear(&arguments);
	memset(large, 'x', ARGUMENT_SIZE_LIMIT + 1);
	assert_int_equal(arguments_parse(large, ARGUMENT_SIZE_LIMIT + 2, &arguments), -E2BIG);
	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = i % 2 ? '\0' : 'a';
	assert_int_equal(arguments_parse(many, sizeof(many) - 2, &arguments), 0);
	assert_int_equal(arguments.count, ARGUMENTS_LIMIT);
	assert_null(arguments.vector[ARGUMENTS_LIMIT]);
	arguments_clear(&arguments);
	assert_int_equal(arguments_parse(many, sizeof(many), &arguments), -E2BIG);
	/* no final NUL: a process may overwrite it */
	assert_int_equal(arguments_parse("a\0b", 3, &arguments), 0);
	assert_int_equal(arguments.count, 2);
	assert_string_equal(arguments.vector[1], "b");
	arguments_clear(&arguments);
	free(large);
}

static void links_show_multi_call_binaries(void **state)
{
	char directory[] = "/tmp/rtguard-test.XXXXXX";
	char file[64];
	char link[64];
	struct stat status;
	struct file_key key;
	FILE *stream;

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(file, sizeof(file), "%s/allinone-1.2", directory);
	(void)snprintf(link, sizeof(link), "%s/first", directory);
	stream = fopen(file, "w");
	assert_non_null(stream);
	(void)fclose(stream);
	assert_int_equal(symlink("allinone-1.2", link), 0);
	assert_int_equal(stat(file, &status), 0);
	key = file_key_of(&status);
	assert_true(is_linked_applet("", file, &key, "first"));
	assert_true(is_linked_applet("", file, &key, "-first"));
	assert_false(is_linked_applet("", file, &key, "second")); /* no such link: argv[0] lies */
	assert_false(is_linked_applet("", file, &key, "allinone-1.2"));
	assert_false(is_linked_applet("", file, &key, ""));
	key.inode++;
	assert_false(is_linked_applet("", file, &key, "first"));
	key.inode--;
	/* a shorter name of the same program is no applet of it */
	assert_int_equal(unlink(link), 0);
	(void)snprintf(link, sizeof(link), "%s/allinone", directory);
	assert_int_equal(symlink("allinone-1.2", link), 0);
	assert_false(is_linked_applet("", file, &key, "allinone"));
	(void)unlink(link);
	(void)unlink(file);
	(void)rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_with_versions),
		cmocka_unit_test(finds_the_script),
		cmocka_unit_test(limits_and_bad_text),
		cmocka_unit_test(links_show_multi_call_binaries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
