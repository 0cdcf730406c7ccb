/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "privilege/channel.h"
#include "privilege/worker.h"

static int wait_for_close(void *context, int channel)
{
	char byte;

	(void)context;
	return channel_receive(channel, &byte, 1, 1, true, NULL) == 0 ? 0 : 1;
}

static int leave_with_a_word(void *context, int channel)
{
	if (channel_write(channel, "bye", 3, 1) < 0)
		return 1;
	return *(int *)context;
}

static int wait_for_ever(void *context, int channel)
{
	(void)context;
	(void)channel;
	for (;;)
		(void)poll(NULL, 0, 1000);
	return 0;
}

static int fail_to_prepare(void *context, struct error *error)
{
	(void)context;
	return error_set(error, ENODEV, "eth7: there is no such interface");
}

static int die_while_preparing(void *context, struct error *error)
{
	(void)context;
	(void)error;
	(void)raise(SIGKILL);
	return 0;
}

static int close_while_preparing(void *context, struct error *error)
{
	char name[64];
	int found = 0;

	(void)context;
	for (int fd = 3; fd < 256; fd++) {
		(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		found += access(name, F_OK) == 0;
	}
	return found == 1 ? 0 : error_set(error, EBADF, "%d descriptors are open", found);
}

static void says_how_it_ended(void **state)
{
	int status = 7;
	const struct worker_config config = {
		.name = "leaver", .run = leave_with_a_word, .context = &status};
	char text[WORKER_END_TEXT_SIZE];
	struct worker *worker;
	struct error error;
	char word[3];

	(void)state;
	assert_int_equal(worker_start(&config, &worker, &error), 0);
	/* What it sent is there, then the end. */
	assert_int_equal(channel_receive(worker_channel(worker), word, 3, 1, true, NULL), 1);
	assert_memory_equal(word, "bye", 3);
	assert_int_equal(channel_receive(worker_channel(worker), word, 3, 1, true, NULL), 0);
	worker_end(worker, 1000, text);
	assert_string_equal(text, "exit status 7");
	status = 0;
	assert_int_equal(worker_start(&config, &worker, &error), 0);
	worker_end(worker, 1000, text);
	assert_string_equal(text, "ended");
}

static void ends_one_that_does_not_leave(void **state)
{
	const struct worker_config config = {.name = "stubborn", .run = wait_for_ever};
	char text[WORKER_END_TEXT_SIZE];
	struct worker *worker;
	struct error error;
	uint64_t before_ns;
	pid_t pid;

	(void)state;
	assert_int_equal(worker_start(&config, &worker, &error), 0);
	pid = worker_pid(worker);
	assert_int_equal(kill(pid, 0), 0);
	before_ns = clock_monotonic_ns();
	worker_end(worker, 50, text);
	assert_true(clock_monotonic_ns() - before_ns >= 50 * NS_PER_MS);
	assert_non_null(strstr(text, "killed by signal 9"));
	assert_int_equal(kill(pid, 0), -1); /* reaped, too */
	assert_int_equal(errno, ESRCH);
}

static void gives_the_error_of_a_failed_start(void **state)
{
	const struct worker_config unprepared = {
		.name = "unprepared", .prepare = fail_to_prepare, .run = wait_for_close};
	const struct worker_config dead = {
		.name = "dead", .prepare = die_while_preparing, .run = wait_for_close};
	struct worker *worker = NULL;
	struct error error = {0};

	(void)state;
	assert_int_equal(worker_start(&unprepared, &worker, &error), -ENODEV);
	assert_string_equal(error.message, "eth7: there is no such interface");
	assert_int_equal(worker_start(&dead, &worker, &error), -ECHILD);
	assert_non_null(strstr(error.message, "killed by signal 9"));
	assert_null(worker);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
	assert_int_equal(errno, ECHILD);
}

static void gets_no_descriptor_but_its_channel(void **state)
{
	const struct worker_config config = {
		.name = "bare", .prepare = close_while_preparing, .run = wait_for_close};
	struct worker *worker;
	struct error error = {0};
	int others[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		others[i] = dup(STDIN_FILENO);
	(void)dup2(STDIN_FILENO, 200);
	if (worker_start(&config, &worker, &error) < 0)
		fail_msg("%s", error.message);
	worker_end(worker, 0, NULL);
	for (size_t i = 0; i < 3; i++)
		(void)close(others[i]);
	(void)close(200);
}

static void leaves_when_the_channel_is_closed(void **state)
{
	const struct worker_config config = {.name = "leaver", .run = wait_for_close};
	char text[WORKER_END_TEXT_SIZE];
	struct worker *worker;
	struct error error;

	(void)state;
	assert_int_equal(worker_start(&config, &worker, &error), 0);
	assert_int_equal(shutdown(worker_channel(worker), SHUT_RDWR), 0);
	worker_end(worker, 5000, text);
	assert_string_equal(text, "ended");
}

/* A supervisor in between starts a worker and is killed; the worker must follow. */
static void dies_with_its_supervisor(void **state)
{
	const struct worker_config config = {.name = "orphan", .run = wait_for_ever};
	int ends[2];
	pid_t pids[2];
	pid_t supervisor;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	supervisor = fork();
	if (supervisor == 0) {
		struct worker *worker;
		struct error error;

		if (worker_start(&config, &worker, &error) < 0)
			_exit(1);
		pids[0] = worker_pid(worker);
		(void)!write(ends[1], pids, sizeof(pids[0]));
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ends[0], pids, sizeof(pids[0])), sizeof(pids[0]));
	assert_int_equal(kill(pids[0], 0), 0);
	assert_int_equal(kill(supervisor, SIGKILL), 0);
	assert_int_equal(waitpid(supervisor, NULL, 0), supervisor);
	for (int i = 0; i < 200 && kill(pids[0], 0) == 0; i++) {
		char path[64];
		char stat[128] = "";
		FILE *file;

		/* whoever inherits it may not reap: a zombie is dead enough */
		(void)snprintf(path, sizeof(path), "/proc/%d/stat", pids[0]);
		file = fopen(path, "re");
		if (!file)
			break;
		(void)!fread(stat, 1, sizeof(stat) - 1, file);
		(void)fclose(file);
		if (strstr(stat, ") Z "))
			break;
		assert_int_not_equal(i, 199);
		(void)poll(NULL, 0, 10);
	}
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_how_it_ended),
		cmocka_unit_test(ends_one_that_does_not_leave),
		cmocka_unit_test(gives_the_error_of_a_failed_start),
		cmocka_unit_test(gets_no_descriptor_but_its_channel),
		cmocka_unit_test(leaves_when_the_channel_is_closed),
		cmocka_unit_test(dies_with_its_supervisor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
