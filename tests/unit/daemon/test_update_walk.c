/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/update_file.h"
#include "daemon/update_walk.h"

static void places_are_left_out_with_all_below(void **state)
{
	static const struct {
		const char *path;
		bool left_out;
	} cases[] = {
		{"/var/lib/dpkg", true},
		{"/var/lib/dpkg/info", true},
		{"/var/lib/dpkg2", false},
		{"/var/lib", false},
		{"/tmp", true},
		{"/opt/tmp", false},
		{"/home/u/bin", true},
		{"/usr/home", false},
		{"/run/x", true},
		{"/usr/share/doc", true},
		{"/usr/share", false},
		{"", false},
		{"/usr/lib/opkg", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(update_is_left_out(cases[i].path), cases[i].left_out);
}

static void names_on_their_way_are_known(void **state)
{
	(void)state;
	assert_true(update_is_passing_name("sh.dpkg-new"));
	assert_true(update_is_passing_name("rc.local.dpkg-old"));
	assert_false(update_is_passing_name(".dpkg-new"));
	assert_false(update_is_passing_name("dpkg-new"));
	assert_false(update_is_passing_name("x.dpkg-new.sh"));
}

static void times_are_compared_as_fine_as_they_are(void **state)
{
	const struct timespec since = {.tv_sec = 1001, .tv_nsec = 500};
	static const struct {
		time_t seconds;
		long nanoseconds;
		bool is_since;
	} cases[] = {
		{1001, 500, true},  {1001, 499, false}, {1002, 1, true},
		{1000, 999, false}, {1001, 0, true}, /* whole seconds */
		{1000, 0, true},		     /* FAT: two of them */
		{999, 0, false},    {1002, 0, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stat status = {.st_ctim = {cases[i].seconds, cases[i].nanoseconds}};

		if (update_is_since(&status, &since) != cases[i].is_since)
			fail_msg("case %zu", i);
	}
}

static void interpreters_speak_their_languages(void **state)
{
	static const struct {
		const char *interpreter;
		const char *file;
		bool speaks;
	} cases[] = {
		{"/usr/bin/python3.11", "/usr/lib/x.py", true},
		{"/usr/bin/python3.11", "/usr/lib/__pycache__/x.cpython-311.pyc", true},
		{"/usr/bin/python3.11", "/usr/lib/x.pl", false},
		{"/usr/bin/python3.11", "/usr/lib/py", false},
		{"/usr/bin/python3.11", "/usr/lib.py/x", false},
		{"/usr/bin/python3-config", "/usr/lib/x.py", false},
		{"/usr/bin/perl", "/usr/share/perl5/X.pm", true},
		{"/usr/bin/perl5.36-x86", "/usr/share/perl5/X.pm", false},
		{"/usr/bin/dash", "/lib/init/functions.sh", true},
		{"/bin/busybox", "/lib/functions.sh", true},
		{"/usr/bin/dash", "/lib/x.s", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (update_speaks(cases[i].interpreter, cases[i].file) != cases[i].speaks)
			fail_msg("%s %s", cases[i].interpreter, cases[i].file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_left_out_with_all_below),
		cmocka_unit_test(names_on_their_way_are_known),
		cmocka_unit_test(times_are_compared_as_fine_as_they_are),
		cmocka_unit_test(interpreters_speak_their_languages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
