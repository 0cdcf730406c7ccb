/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"

static const uint8_t message[] = {0xf1, 0xe2, 0xd3, 0xc4, 0xb5, 0xa6, 0x97, 0x88};

static void numbers_are_read_at_any_alignment(void **state)
{
	(void)state;
	assert_int_equal(be16_at(message + 1), 0xe2d3);
	assert_int_equal(be24_at(message), 0xf1e2d3);
	assert_true(be32_at(message + 3) == 0xc4b5a697);
}

static void taking_stops_at_the_end(void **state)
{
	struct bytes bytes = {message, sizeof(message)};
	struct bytes part = {NULL, 0};
	const uint8_t *taken = NULL;
	uint32_t long_number = 5;
	uint16_t number = 5;
	uint8_t small = 5;

	(void)state;
	assert_true(bytes_take_u8(&bytes, &small));
	assert_int_equal(small, 0xf1);
	assert_true(bytes_take_be16(&bytes, &number));
	assert_int_equal(number, 0xe2d3);
	assert_true(bytes_take_be32(&bytes, &long_number));
	assert_true(long_number == 0xc4b5a697);

	assert_false(bytes_take_be16(&bytes, &number));
	assert_int_equal(number, 0xe2d3);
	assert_false(bytes_take_be32(&bytes, &long_number));
	assert_false(bytes_take_part(&bytes, SIZE_MAX, &part));
	assert_null(part.at);
	assert_true(bytes_take_part(&bytes, 1, &part));
	assert_ptr_equal(part.at, message + 7);
	assert_int_equal(part.left, 1);
	assert_false(bytes_take_u8(&bytes, &small));
	assert_int_equal(small, 0xf1);
	assert_true(bytes_take(&bytes, 0, &taken));
	assert_ptr_equal(taken, message + 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_at_any_alignment),
		cmocka_unit_test(taking_stops_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
