/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "profiles/port.h"

static void each_kind_covers_its_range(void **state)
{
	static const struct {
		enum profile_port_kind kind;
		uint8_t protocol;
		uint16_t local_port;
		uint16_t remote_port;
		bool covered;
	} cases[] = {
		{PORT_NUMBER, IPPROTO_TCP, 40000, 443, true},
		{PORT_NUMBER, IPPROTO_TCP, 40000, 444, false},
		{PORT_ANY, IPPROTO_TCP, 40000, 1, true},
		{PORT_HIGH, IPPROTO_TCP, 40000, 1023, false},
		{PORT_HIGH, IPPROTO_TCP, 40000, 1024, true},
		{PORT_HIGH, IPPROTO_TCP, 40000, 2323, false},
		{PORT_HIGH, IPPROTO_UDP, 40000, 2323, true},
		{PORT_EPHEMERAL, IPPROTO_UDP, 5000, 32767, false},
		{PORT_EPHEMERAL, IPPROTO_UDP, 5000, 32768, true},
		{PORT_SAME, IPPROTO_UDP, 5000, 5000, true},
		{PORT_SAME, IPPROTO_UDP, 5000, 5001, false},
		{PORT_SAME, IPPROTO_UDP, 500, 500, false},
	};

	(void)state;
	for (size_t i = 0; i < array_length(cases); i++)
		assert_int_equal(port_kind_covers(cases[i].kind, cases[i].protocol, 443,
						  cases[i].local_port, cases[i].remote_port),
				 cases[i].covered);
}

static void services_are_found_one_by_one(void **state)
{
	static const uint16_t services[] = {1080, 2323, 3389, 5432, 5900, 8080, 27017, 52869};

	(void)state;
	for (size_t i = 0; i < array_length(services); i++)
		assert_true(port_is_tcp_service(services[i]));
	assert_false(port_is_tcp_service(0));
	assert_false(port_is_tcp_service(1081));
	assert_false(port_is_tcp_service(65535));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_covers_its_range),
		cmocka_unit_test(services_are_found_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
