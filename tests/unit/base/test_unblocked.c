/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/unblocked.h"

/* A test that waits is ended. */
#define TEST_SECONDS 10

/* Takes until there is no room, then nothing; the shared description stays as it was. */
static void fill(int reader, int writer)
{
	int fd = unblocked_open(writer);
	char bytes[1000] = {0};
	ssize_t result;

	assert_true(fd >= 0 && fd != writer);
	assert_int_equal(unblocked_write(fd, "first", 5), 5);
	assert_int_equal(read(reader, bytes, sizeof(bytes)), 5);
	assert_memory_equal(bytes, "first", 5);
	while ((result = unblocked_write(fd, bytes, sizeof(bytes))) > 0)
		;
	assert_int_equal(result, -EAGAIN);
	assert_false(fcntl(writer, F_GETFL) & O_NONBLOCK);
	assert_true(read(reader, bytes, sizeof(bytes)) > 0);
	assert_int_equal(close(fd), 0);
}

static void a_full_pipe_makes_nobody_wait(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fill(ends[0], ends[1]);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void nor_does_a_full_socket(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	fill(ends[0], ends[1]);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void nor_one_that_could_not_be_opened_anew(void **state)
{
	char bytes[4096] = {0};
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	while (unblocked_write(ends[1], bytes, sizeof(bytes)) > 0)
		;
	assert_int_equal(unblocked_write(ends[1], bytes, 1), -EAGAIN);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void a_reader_that_is_gone_is_an_error(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	(void)close(ends[0]);
	assert_int_equal(unblocked_write(ends[1], "x", 1), -EPIPE);
	(void)close(ends[1]);
	assert_int_equal(unblocked_open(-1), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_pipe_makes_nobody_wait),
		cmocka_unit_test(nor_does_a_full_socket),
		cmocka_unit_test(nor_one_that_could_not_be_opened_anew),
		cmocka_unit_test(a_reader_that_is_gone_is_an_error),
	};

	(void)alarm(TEST_SECONDS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
