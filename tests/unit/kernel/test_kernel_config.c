/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/config.h"

static int parse(const char *text, struct kernel_config *config, struct error *error)
{
	return kernel_config_parse(text, strlen(text), config, error);
}

static void reads_options_and_release(void **state)
{
	struct kernel_config config;

	(void)state;
	assert_int_equal(parse("#\n"
			       "# Automatically generated file; DO NOT EDIT.\n"
			       "# Linux/x86 6.1.90 Kernel Configuration\n"
			       "#\n"
			       "CONFIG_CC_VERSION_TEXT=\"gcc (Debian 12.2.0-14) 12.2.0\"\n"
			       "CONFIG_FANOTIFY=y\r\n"
			       "# CONFIG_FANOTIFY_ACCESS_PERMISSIONS is not set\n"
			       "\n"
			       "CONFIG_IO_URING=n\n"
			       "CONFIG_CONNECTOR=m",
			       &config, NULL),
			 0);
	assert_true(config.set[OPTION_FANOTIFY]);
	assert_false(config.set[OPTION_FANOTIFY_ACCESS_PERMISSIONS]);
	assert_false(config.set[OPTION_IO_URING]);
	assert_true(config.set[OPTION_CONNECTOR]);
	assert_int_equal(config.release.number[0], 6);
	assert_int_equal(config.release.number[1], 1);
	assert_int_equal(config.release.number[2], 90);
}

static void the_last_line_about_an_option_counts(void **state)
{
	struct kernel_config config;

	(void)state;
	assert_int_equal(parse("CONFIG_FANOTIFY=y\n# CONFIG_FANOTIFY is not set\n", &config, NULL),
			 0);
	assert_false(config.set[OPTION_FANOTIFY]);
	assert_int_equal(parse("# CONFIG_FANOTIFY is not set\nCONFIG_FANOTIFY=y\n", &config, NULL),
			 0);
	assert_true(config.set[OPTION_FANOTIFY]);
}

static void a_longer_name_is_another_option(void **state)
{
	struct kernel_config config;

	(void)state;
	assert_int_equal(
		parse("CONFIG_FANOTIFYX=y\nCONFIG_PROC_EVENTS_=y\nCONFIG_BP=y\n", &config, NULL),
		0);
	for (size_t i = 0; i < OPTION_COUNT; i++)
		assert_false(config.set[i]);
}

static void refuses_what_is_no_configuration(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} rows[] = {
		{"", "no CONFIG_ line"},
		{"# only a comment\n", "no CONFIG_ line"},
		{"CONFIG_A=y\nroot:x:0:0\n", "line 2"},
		{"CONFIG_A\n", "line 1"},
		{"CONFIG_=y\n", "line 1"},
		{"\x1f\x8b\x08", "zcat"},
		{"\x7f"
		 "ELF",
		 "line 1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error error = {0};
		struct kernel_config config;

		assert_int_equal(parse(rows[i].text, &config, &error), -EINVAL);
		assert_non_null(strstr(error.message, rows[i].says));
	}
}

static void a_missing_file_is_named(void **state)
{
	struct error error = {0};
	struct kernel_config config;

	(void)state;
	assert_int_equal(kernel_config_read("/nonexistent/config", &config, &error), -ENOENT);
	assert_non_null(strstr(error.message, "/nonexistent/config"));
}

static void reads_releases(void **state)
{
	static const struct {
		const char *text;
		int result;
		unsigned int number[3];
	} rows[] = {
		{"6.1.0-13-cloud-amd64", 0, {6, 1, 0}},
		{"6.12.38+deb13", 0, {6, 12, 38}},
		{"5.11", 0, {5, 11, 0}},
		{"4.4-rc1", 0, {4, 4, 0}},
		{"6", -EINVAL, {0}},
		{"", -EINVAL, {0}},
		{"6.", -EINVAL, {0}},
		{"x86", -EINVAL, {0}},
		{"0.9", -EINVAL, {0}},
		{"99999999999.1", -EINVAL, {0}},
		{"6.1.", -EINVAL, {0}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct kernel_release release = {0};

		assert_int_equal(kernel_release_parse(rows[i].text, &release), rows[i].result);
		assert_memory_equal(release.number, rows[i].number, sizeof(release.number));
	}
}

static void compares_releases(void **state)
{
	const struct kernel_release old = {{5, 9, 100}};
	const struct kernel_release new = {{5, 11, 0}};

	(void)state;
	assert_true(kernel_release_before(old, new));
	assert_false(kernel_release_before(new, old));
	assert_false(kernel_release_before(new, new));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_options_and_release),
		cmocka_unit_test(the_last_line_about_an_option_counts),
		cmocka_unit_test(a_longer_name_is_another_option),
		cmocka_unit_test(refuses_what_is_no_configuration),
		cmocka_unit_test(a_missing_file_is_named),
		cmocka_unit_test(reads_releases),
		cmocka_unit_test(compares_releases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
