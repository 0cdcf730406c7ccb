/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hostname.h"

#define LABEL_OF_63 "abcdefghijklmnopqrstuvwxyz0123456789-abcdefghijklmnopqrstuvwxyz"

static void only_the_written_form_is_valid(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} cases[] = {
		{"a", true},
		{"localhost", true},
		{"0.pool.ntp.org", true},
		{"_mqtt._tcp.example.net", true},
		{"r3---sn-4g5e6nz7.example.com", true},
		{"xn--mnchen-3ya.example", true},
		{"4chan", true},
		{LABEL_OF_63 ".example", true},
		{LABEL_OF_63 "a.example", false},
		{"", false},
		{".", false},
		{"a.", false},
		{".a", false},
		{"a..b", false},
		{"Example.net", false},
		{"192.0.2.1", false},
		{"example.1", false},
		{"123", false},
		{"2001:db8::1", false},
		{"a b", false},
		{"*.example.net", false},
		{"a/b", false},
		{"caf\xc3\xa9.example", false},
		{"a\n", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (hostname_is_valid(cases[i].text) != cases[i].valid)
			fail_msg("\"%s\" is judged wrongly", cases[i].text);
}

static void a_name_has_at_most_253_bytes(void **state)
{
	char name[300];

	(void)state;
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 50 == 49 ? '.' : 'a';
	name[253] = '\0';
	assert_true(hostname_is_valid(name));
	name[253] = 'a';
	name[254] = '\0';
	assert_false(hostname_is_valid(name));
}

static void what_others_write_is_normalised(void **state)
{
	char name[HOSTNAME_SIZE] = "untouched";
	char longest[HOSTNAME_SIZE + 1];

	(void)state;
	assert_int_equal(hostname_normalise("192.0.2.1", 9, name), -EINVAL);
	assert_int_equal(hostname_normalise("", 0, name), -EINVAL);
	assert_int_equal(hostname_normalise(".", 1, name), -EINVAL);
	assert_int_equal(hostname_normalise("a..", 3, name), -EINVAL);
	assert_int_equal(hostname_normalise("a\0b", 3, name), -EINVAL);
	assert_int_equal(hostname_normalise("a.B!", 4, name), -EINVAL);
	assert_string_equal(name, "untouched");

	assert_int_equal(hostname_normalise("WWW.Example.NET.xyz", 16, name), 0);
	assert_string_equal(name, "www.example.net");
	assert_int_equal(hostname_normalise("_A-1.Z", 6, name), 0);
	assert_string_equal(name, "_a-1.z");

	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 50 == 49 ? '.' : 'A';
	longest[253] = '.';
	assert_int_equal(hostname_normalise(longest, 254, name), 0);
	assert_int_equal(strlen(name), 253);
	assert_int_equal(hostname_normalise(longest, 255, name), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_written_form_is_valid),
		cmocka_unit_test(a_name_has_at_most_253_bytes),
		cmocka_unit_test(what_others_write_is_normalised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
