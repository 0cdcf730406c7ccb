/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"

static void durations(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t ns;
	} cases[] = {
		{"90", 0, 90 * NS_PER_S},
		{"90s", 0, 90 * NS_PER_S},
		{"24h", 0, 86400 * NS_PER_S},
		{"1h30m", 0, 5400 * NS_PER_S},
		{"500ms", 0, 500 * NS_PER_MS},
		{"7d", 0, 7 * 86400 * NS_PER_S},
		{"", -EINVAL, 0},
		{"h", -EINVAL, 0},
		{"5 m", -EINVAL, 0},
		{"5x", -EINVAL, 0},
		{"-5s", -EINVAL, 0},
		{"11000d", -ERANGE, 0},
		{"99999999999999999999s", -ERANGE, 0},
		{"3650d1s", -ERANGE, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t ns = 0;

		assert_int_equal(duration_parse(cases[i].text, &ns), cases[i].result);
		assert_int_equal(ns, cases[i].ns);
	}
}

static void moments_go_both_ways(void **state)
{
	char text[CLOCK_TEXT_SIZE];
	uint64_t ns;

	(void)state;
	assert_int_equal(clock_parse("2026-11-20T17:33:05Z", &ns), 0);
	clock_format(ns, text);
	assert_string_equal(text, "2026-11-20T17:33:05Z");
	assert_int_equal(clock_parse("2026-11-20 17:33", &ns), -EINVAL);
}

static void durations_read_well(void **state)
{
	char text[DURATION_TEXT_SIZE];

	(void)state;
	duration_format(59 * NS_PER_S, text);
	assert_string_equal(text, "00:59");
	duration_format(3661 * NS_PER_S, text);
	assert_string_equal(text, "01:01:01");
	duration_format(90061 * NS_PER_S, text);
	assert_string_equal(text, "1d 01:01:01");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(moments_go_both_ways),
		cmocka_unit_test(durations_read_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
