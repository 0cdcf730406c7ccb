/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "privilege/channel.h"

struct record {
	uint64_t number;
	uint32_t more;
	uint32_t rest;
};

struct pair {
	int ends[2];
};

static int open_pair(void **state)
{
	static struct pair pair;

	*state = &pair;
	return channel_pair(pair.ends);
}

static int close_pair(void **state)
{
	const struct pair *pair = *state;

	(void)close(pair->ends[0]);
	(void)close(pair->ends[1]);
	return 0;
}

static int receive(const struct pair *pair, struct record *records, size_t limit)
{
	return channel_receive(pair->ends[0], records, sizeof(records[0]), limit, false, NULL);
}

static void carries_batches_as_they_were_sent(void **state)
{
	const struct record sent[] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
	const struct pair *pair = *state;
	struct record received[4] = {0};

	assert_int_equal(receive(pair, received, 4), -EAGAIN);
	assert_int_equal(channel_write(pair->ends[1], sent, sizeof(sent[0]), 3), 0);
	assert_int_equal(channel_send(pair->ends[1], sent, sizeof(sent[0]), 1, -1), 0);
	assert_int_equal(receive(pair, received, 4), 3);
	assert_memory_equal(received, sent, sizeof(sent));
	assert_int_equal(receive(pair, received, 4), 1);
	assert_int_equal(receive(pair, received, 4), -EAGAIN);
}

static void refuses_other_lengths(void **state)
{
	const struct record sent[3] = {{0}};
	const struct pair *pair = *state;
	struct record received[2];

	assert_int_equal(write(pair->ends[1], sent, sizeof(sent[0]) + 1), sizeof(sent[0]) + 1);
	assert_int_equal(receive(pair, received, 2), -EBADMSG);
	assert_int_equal(write(pair->ends[1], sent, 1), 1);
	assert_int_equal(receive(pair, received, 2), -EBADMSG);
	/* longer than there is room for, and a multiple as well */
	assert_int_equal(channel_write(pair->ends[1], sent, sizeof(sent[0]), 3), 0);
	assert_int_equal(receive(pair, received, 2), -EBADMSG);
}

static void says_when_the_other_end_is_gone(void **state)
{
	struct pair *pair = *state;
	const struct record sent = {1, 2, 3};
	struct record received;

	assert_int_equal(channel_write(pair->ends[1], &sent, sizeof(sent), 1), 0);
	(void)close(pair->ends[1]);
	pair->ends[1] = -1;
	assert_int_equal(receive(pair, &received, 1), 1); /* what was sent before still arrives */
	assert_int_equal(receive(pair, &received, 1), 0);
	/* no SIGPIPE */
	assert_int_equal(channel_send(pair->ends[0], &sent, sizeof(sent), 1, -1), -EPIPE);
}

static int lowest_free_fd(void)
{
	int fd = dup(STDIN_FILENO);

	(void)close(fd);
	return fd;
}

static void passes_a_descriptor_to_who_asks(void **state)
{
	const struct record sent = {1, 2, 3};
	const struct pair *pair = *state;
	struct record received;
	int pipe_ends[2];
	char byte = 0;
	int fd = -1;

	assert_int_equal(pipe(pipe_ends), 0);
	assert_int_equal(write(pipe_ends[1], "x", 1), 1);
	assert_int_equal(channel_send(pair->ends[1], &sent, sizeof(sent), 1, pipe_ends[0]), 0);
	assert_int_equal(channel_receive(pair->ends[0], &received, sizeof(received), 1, true, &fd),
			 1);
	assert_int_not_equal(fd, -1);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(byte, 'x');
	(void)close(fd);
	assert_int_equal(channel_send(pair->ends[1], &sent, sizeof(sent), 1, -1), 0);
	assert_int_equal(channel_receive(pair->ends[0], &received, sizeof(received), 1, true, &fd),
			 1);
	assert_int_equal(fd, -1);
	(void)close(pipe_ends[0]);
	(void)close(pipe_ends[1]);
}

static void takes_no_descriptor_unasked(void **state)
{
	const struct record sent = {1, 2, 3};
	const struct pair *pair = *state;
	struct record received;
	int before = lowest_free_fd();

	assert_int_equal(channel_send(pair->ends[1], &sent, sizeof(sent), 1, STDIN_FILENO), 0);
	assert_int_equal(receive(pair, &received, 1), -EBADMSG);
	assert_int_equal(lowest_free_fd(), before);
}

static void closes_what_comes_with_a_bad_message(void **state)
{
	const struct record sent = {1, 2, 3};
	const struct pair *pair = *state;
	struct record received;
	int before = lowest_free_fd();
	int fd = -1;

	assert_int_equal(channel_send(pair->ends[1], &sent, 3, 1, STDIN_FILENO), 0);
	assert_int_equal(channel_receive(pair->ends[0], &received, sizeof(received), 1, true, &fd),
			 -EBADMSG);
	assert_int_equal(fd, -1);
	assert_int_equal(lowest_free_fd(), before);
}

static void stays_off_standard_streams(void **state)
{
	int input = dup(STDIN_FILENO);
	int ends[2];

	(void)state;
	(void)close(STDIN_FILENO);
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
	(void)close(input);
	assert_true(ends[0] > STDERR_FILENO && ends[1] > STDERR_FILENO);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

#define with_pair(test) cmocka_unit_test_setup_teardown(test, open_pair, close_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_pair(carries_batches_as_they_were_sent),
		with_pair(refuses_other_lengths),
		with_pair(says_when_the_other_end_is_gone),
		with_pair(passes_a_descriptor_to_who_asks),
		with_pair(takes_no_descriptor_unasked),
		with_pair(closes_what_comes_with_a_bad_message),
		cmocka_unit_test(stays_off_standard_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
