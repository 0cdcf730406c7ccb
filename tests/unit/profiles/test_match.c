/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "profiles/match.h"

static void a_domain_is_itself_and_what_is_below(void **state)
{
	(void)state;
	assert_true(name_in_domain("example.net", "example.net"));
	assert_true(name_in_domain("a.b.example.net", "example.net"));
	assert_false(name_in_domain("badexample.net", "example.net"));
	assert_false(name_in_domain("example.net.evil.org", "example.net"));
	assert_false(name_in_domain("net", "example.net"));
	assert_false(name_in_domain("example.net", ""));
}

static void a_pattern_stands_for_numbers_only(void **state)
{
	(void)state;
	assert_true(name_fits_pattern("srmp01lb2.example.net", "srmp#lb#.example.net"));
	assert_true(name_fits_pattern("s9.3com.com", "s#.3com.com"));
	assert_false(name_fits_pattern("srmplb2.example.net", "srmp#lb#.example.net"));
	assert_false(name_fits_pattern("s1x.example.net", "s#.example.net"));
	assert_false(name_fits_pattern("s1", "s#.example.net"));
	assert_false(name_fits_pattern("s1.example.net.org", "s#.example.net"));
	assert_false(name_fits_pattern("s9.4com.com", "s#.3com.com"));
}

static void a_pattern_fits_in_one_way(void **state)
{
	(void)state;
	assert_true(pattern_is_valid("srmp#lb#.example.net"));
	assert_true(pattern_is_valid("#.example.net"));
	assert_false(pattern_is_valid("example.net"));
	assert_false(pattern_is_valid("a##.example.net"));
	assert_false(pattern_is_valid("a#1.example.net"));
	assert_false(pattern_is_valid("a1#.example.net"));
	assert_false(pattern_is_valid("A#.example.net"));
	assert_false(pattern_is_valid("a#..example.net"));
	assert_false(pattern_is_valid(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_domain_is_itself_and_what_is_below),
		cmocka_unit_test(a_pattern_stands_for_numbers_only),
		cmocka_unit_test(a_pattern_fits_in_one_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
