/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "observe/network/hello.h"

static void without_nettle_no_quic_is_known(void **state)
{
	static const uint8_t initial[] = {0xc0, 0, 0, 0, 1, 0, 0, 0};
	char name[NAME_SIZE] = "untouched";

	(void)state;
	assert_false(quic_is_initial(initial, sizeof(initial)));
	assert_int_equal(quic_server_name(initial, sizeof(initial), name), -EOPNOTSUPP);
	assert_string_equal(name, "untouched");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_nettle_no_quic_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
