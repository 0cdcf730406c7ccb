/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/address.h"

static void scopes(void **state)
{
	static const struct {
		const char *text;
		enum address_scope scope;
	} cases[] = {
		{"0.0.0.0", ADDRESS_UNSPECIFIED},     {"::", ADDRESS_UNSPECIFIED},
		{"127.3.2.1", ADDRESS_LOOPBACK},      {"::1", ADDRESS_LOOPBACK},
		{"169.254.9.9", ADDRESS_LINK_LOCAL},  {"fe80::1", ADDRESS_LINK_LOCAL},
		{"10.0.0.1", ADDRESS_PRIVATE},	      {"172.31.255.255", ADDRESS_PRIVATE},
		{"172.32.0.1", ADDRESS_PUBLIC},	      {"192.168.7.7", ADDRESS_PRIVATE},
		{"100.127.0.1", ADDRESS_PRIVATE},     {"100.128.0.1", ADDRESS_PUBLIC},
		{"fd00::1", ADDRESS_PRIVATE},	      {"224.0.0.251", ADDRESS_MULTICAST},
		{"ff02::fb", ADDRESS_MULTICAST},      {"255.255.255.255", ADDRESS_BROADCAST},
		{"8.8.8.8", ADDRESS_PUBLIC},	      {"2001:db8::1", ADDRESS_PUBLIC},
		{"::ffff:10.1.1.1", ADDRESS_PRIVATE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_address address;

		assert_int_equal(ip_parse(cases[i].text, &address), 0);
		assert_int_equal(ip_scope(&address), cases[i].scope);
	}
}

static void prefixes(void **state)
{
	struct ip_address prefix;
	struct ip_address address;
	unsigned int length;

	(void)state;
	assert_int_equal(ip_parse_prefix("192.0.2.0/23", &prefix, &length), 0);
	assert_int_equal(length, 23);
	assert_int_equal(ip_parse("192.0.3.255", &address), 0);
	assert_true(ip_in_prefix(&address, &prefix, length));
	assert_int_equal(ip_parse("192.0.4.0", &address), 0);
	assert_false(ip_in_prefix(&address, &prefix, length));
	assert_int_equal(ip_parse_prefix("192.0.2.1/23", &prefix, &length), -EINVAL);
	assert_int_equal(ip_parse_prefix("192.0.2.0/33", &prefix, &length), -EINVAL);
	assert_int_equal(ip_parse_prefix("2001:db8::/32", &prefix, &length), 0);
	assert_int_equal(ip_parse_prefix("2001:db8::1", &prefix, &length), 0);
	assert_int_equal(length, 128);
}

static void macs(void **state)
{
	struct mac_address mac;
	char text[MAC_TEXT_SIZE];

	(void)state;
	assert_int_equal(mac_parse("94-10-3E:35:01:c1", &mac), 0);
	mac_format(&mac, text);
	assert_string_equal(text, "94:10:3e:35:01:c1");
	assert_int_equal(mac_parse("94:10:3e:35:01", &mac), -EINVAL);
	assert_int_equal(mac_parse("94:10:3e:35:01:cg", &mac), -EINVAL);
	assert_int_equal(mac_parse("94.10.3e.35.01.c1", &mac), -EINVAL);
}

static void scope_prefixes(void **state)
{
	size_t count;
	const struct ip_scope_prefix *prefixes = ip_scope_prefixes(&count);

	(void)state;
	assert_int_equal(count, 14);
	for (size_t i = 0; i < count; i++) {
		assert_int_not_equal(prefixes[i].scope, ADDRESS_PUBLIC);
		assert_int_equal(ip_scope(&prefixes[i].prefix), prefixes[i].scope);
		for (size_t j = 0; j < count; j++)
			if (i != j)
				assert_false(ip_in_prefix(&prefixes[i].prefix, &prefixes[j].prefix,
							  prefixes[j].length));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scopes),
		cmocka_unit_test(scope_prefixes),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(macs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
