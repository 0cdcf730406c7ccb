/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void grows_and_finishes(void **state)
{
	struct text text = {0};
	char *string;

	(void)state;
	for (int i = 0; i < 1000; i++)
		text_printf(&text, "%d,", i % 10);
	text_append(&text, "end");
	assert_int_equal(text_finish(&text, &string), 0);
	assert_int_equal(strlen(string), 2003);
	assert_string_equal(string + 1998, "9,end");
	free(string);
	assert_int_equal(text_finish(&text, &string), 0);
	assert_string_equal(string, "");
	free(string);
}

static void hex_goes_both_ways(void **state)
{
	uint8_t bytes[4];
	char text[9];

	(void)state;
	assert_int_equal(hex_decode("00fFa5C3", bytes, 4), 0);
	hex_encode(bytes, 4, text);
	assert_string_equal(text, "00ffa5c3");
	assert_int_equal(hex_decode("00ff", bytes, 4), -EINVAL);
	assert_int_equal(hex_decode("00ffa5cg", bytes, 4), -EINVAL);
}

static void utf8_is_strict(void **state)
{
	static const struct {
		const char *bytes;
		bool valid;
	} cases[] = {
		{"plain", true},
		{"\xc3\xa4", true},
		{"\xe2\x82\xac", true},
		{"\xf0\x9f\x90\x88", true},
		{"\xc0\x80", false},
		{"\xed\xa0\x80", false},
		{"\xf4\x90\x80\x80", false},
		{"\xff", false},
		{"\xe2\x82", false},
		{"a\x80", false},
		{"\xe0\x80\x80", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(utf8_is_valid(cases[i].bytes, strlen(cases[i].bytes)),
				 cases[i].valid);
}

static void what_is_printed_cannot_steer_a_terminal(void **state)
{
	char out[32];

	(void)state;
	text_printable("a\033[2Jb\xc2\x9b"
		       "c\xff\n\xc3\xa4",
		       out, sizeof(out));
	assert_string_equal(out, "a?[2Jb?c??\xc3\xa4");
	text_printable("\xc3\xa4\xc3\xa4", out, 4);
	assert_string_equal(out, "\xc3\xa4");
}

static void any_bytes_become_text_and_stay_different(void **state)
{
	static const struct {
		const char *bytes;
		size_t limit;
		const char *text;
	} cases[] = {
		{"/bin/\xc3\xa4", 100, "/bin/\xc3\xa4"},
		{"/a\xff", 100,
		 "/a\xef\xbf\xbd"
		 "ff"},
		{"/a\n", 100,
		 "/a\xef\xbf\xbd"
		 "0a"},
		{"\xc2\x9b", 100,
		 "\xef\xbf\xbd"
		 "c2"
		 "\xef\xbf\xbd"
		 "9b"},
		{"\xef\xbf\xbd"
		 "ff",
		 100,
		 "\xef\xbf\xbd"
		 "ef"
		 "\xef\xbf\xbd"
		 "bf"
		 "\xef\xbf\xbd"
		 "bd"
		 "ff"},
		{"a\xff", 5, "a"},
		{"a\xff", 6,
		 "a\xef\xbf\xbd"
		 "ff"},
		{"a\xc3\xa4", 2, "a"},
		{"", 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = text_escape(cases[i].bytes, cases[i].limit);

		assert_string_equal(text, cases[i].text);
		free(text);
	}
}

static void numbers_have_bounds(void **state)
{
	uint64_t number = 7;

	(void)state;
	assert_int_equal(number_parse("65535", 65535, &number), 0);
	assert_int_equal(number, 65535);
	assert_int_equal(number_parse("65536", 65535, &number), -ERANGE);
	assert_int_equal(number_parse("", 65535, &number), -EINVAL);
	assert_int_equal(number_parse("-1", 65535, &number), -EINVAL);
	assert_int_equal(number_parse("1 ", 65535, &number), -EINVAL);
	assert_int_equal(number_parse("18446744073709551616", UINT64_MAX, &number), -ERANGE);
	assert_int_equal(number_parse("18446744073709551615", UINT64_MAX, &number), 0);
}

static void test_path_base_name(void **state)
{
	(void)state;
	assert_string_equal(path_base_name("/usr/bin/sh"), "sh");
	assert_string_equal(path_base_name("sh"), "sh");
	assert_string_equal(path_base_name("/usr/bin/"), "");
	assert_string_equal(path_base_name(""), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_finishes),
		cmocka_unit_test(hex_goes_both_ways),
		cmocka_unit_test(utf8_is_strict),
		cmocka_unit_test(what_is_printed_cannot_steer_a_terminal),
		cmocka_unit_test(any_bytes_become_text_and_stay_different),
		cmocka_unit_test(numbers_have_bounds),
		cmocka_unit_test(test_path_base_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
