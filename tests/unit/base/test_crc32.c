/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/crc32.h"

/* The check value of the CRC catalogue for CRC-32/ISO-HDLC. */
static void gives_the_check_value_in_one_piece_and_in_two(void **state)
{
	uint32_t crc;

	(void)state;
	assert_int_equal(crc32_update(0, "123456789", 9), 0xcbf43926);
	crc = crc32_update(0, "1234", 4);
	assert_int_equal(crc32_update(crc, "56789", 5), 0xcbf43926);
	assert_int_equal(crc32_update(0, "", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_check_value_in_one_piece_and_in_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
