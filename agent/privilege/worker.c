/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "privilege/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "privilege/channel.h"
#include "privilege/child.h"
#include "privilege/sandbox.h"
#include "privilege/standard_streams.h"
#include "privilege/system_calls.h"

enum {
	START_TIMEOUT_MS = 10000,
	START_GRACE_MS = 100,	/* so that one that failed can be asked how it ended */
	EXIT_NOT_STARTED = 125, /* the error itself went over the channel */
};

struct worker {
	pid_t pid;
	int process; /* pidfd; -1 before Linux 5.3 */
	int channel;
};

static void worker_free(struct worker **worker)
{
	if (!*worker)
		return;
	closep(&(*worker)->process);
	closep(&(*worker)->channel);
	free(*worker);
}

static int become_worker(const struct worker_config *config, int channel, pid_t supervisor,
			 struct error *error)
{
	int result;

	(void)prctl(PR_SET_NAME, config->name, 0, 0, 0);
	child_reset_signals();
	result = standard_streams_detach();
	if (result == 0)
		result = child_close_others(channel);
	if (result < 0)
		return error_set(error, -result, "cannot set up descriptors: %s",
				 strerror(-result));
	if (config->prepare && config->prepare(config->context, error) < 0)
		return -error->code;
	result = sandbox_enter(error);
	if (result < 0)
		return result;
	/* A credential change forgets the death signal, so this comes after the sandbox. */
	result = child_die_with(supervisor);
	if (result < 0)
		return error_set(error, -result, "cannot be bound to its supervisor: %s",
				 strerror(-result));
	return system_calls_confine(channel, error);
}

/* The first message of every worker is how its start went: an error with code 0 is success. */
static void __attribute__((noreturn))
worker_main(const struct worker_config *config, int channel, pid_t supervisor)
{
	struct error error = {0};
	int result = become_worker(config, channel, supervisor, &error);

	if (result < 0 && !error.code)
		error.code = -result;
	if (channel_write(channel, &error, sizeof(error), 1) < 0 || error.code)
		_exit(EXIT_NOT_STARTED);
	_exit(config->run(config->context, channel));
}

/* -ENODATA: it ended without a word. */
static int await_start(const struct worker *worker, struct error *error)
{
	struct pollfd started = {.fd = worker->channel, .events = POLLIN};
	struct error message;
	int ready;

	do {
		ready = poll(&started, 1, START_TIMEOUT_MS);
	} while (ready < 0 && errno == EINTR);
	if (ready == 0)
		return error_set(error, ETIMEDOUT, "the worker did not start within %d s",
				 START_TIMEOUT_MS / 1000);
	if (channel_receive(worker->channel, &message, sizeof(message), 1, false, NULL) != 1)
		return -ENODATA;
	message.message[sizeof(message.message) - 1] = '\0';
	if (message.code)
		return error_set(error, abs(message.code), "%s", message.message);
	return 0;
}

/* Takes the worker's end of the channel with it. */
static int fork_worker(const struct worker_config *config, struct worker *worker)
{
	pid_t supervisor = getpid();
	int ends[2];
	int result = channel_pair(ends);

	if (result < 0)
		return result;
	worker->channel = ends[0];
	worker->pid = fork();
	if (worker->pid == 0)
		worker_main(config, ends[1], supervisor);
	result = worker->pid < 0 ? -errno : 0;
	(void)close(ends[1]);
	return result;
}

int worker_start(const struct worker_config *config, struct worker **ret_worker,
		 struct error *error)
{
	_cleanup_(worker_free) struct worker *worker = calloc(1, sizeof(*worker));
	char text[WORKER_END_TEXT_SIZE];
	int result;

	if (!worker)
		return error_set(error, ENOMEM, "out of memory");
	worker->process = -1;
	worker->channel = -1;
	result = fork_worker(config, worker);
	if (result < 0)
		return error_set(error, -result, "cannot start a process: %s", strerror(-result));
	worker->process = (int)syscall(SYS_pidfd_open, worker->pid, 0);
	result = await_start(worker, error);
	if (result < 0) {
		worker_end(take_pointer(worker), START_GRACE_MS, text);
		if (result == -ENODATA)
			return error_set(error, ECHILD, "the worker did not start: %s", text);
		return result;
	}
	*ret_worker = take_pointer(worker);
	return 0;
}

pid_t worker_pid(const struct worker *worker)
{
	return worker->pid;
}

int worker_channel(const struct worker *worker)
{
	return worker->channel;
}

static void describe_end(int status, char text[WORKER_END_TEXT_SIZE])
{
	if (WIFSIGNALED(status))
		(void)snprintf(text, WORKER_END_TEXT_SIZE, "killed by signal %d (%s)",
			       WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		(void)snprintf(text, WORKER_END_TEXT_SIZE, "exit status %d", WEXITSTATUS(status));
	else
		(void)snprintf(text, WORKER_END_TEXT_SIZE, "ended");
}

/* Without a pidfd the end of its channel tells that a worker is leaving. */
static void await_end(const struct worker *worker, int grace_ms)
{
	uint64_t deadline = clock_monotonic_ns() + (uint64_t)grace_ms * NS_PER_MS;
	struct pollfd ended = {.fd = worker->process, .events = POLLIN};
	int left_ms = grace_ms;

	if (worker->process < 0) {
		ended.fd = worker->channel;
		ended.events = 0;
	}
	while (left_ms > 0 && poll(&ended, 1, left_ms) < 0 && errno == EINTR)
		left_ms = (int)((int64_t)(deadline - clock_monotonic_ns()) / (int64_t)NS_PER_MS);
}

void worker_end(struct worker *worker, int grace_ms, char text[WORKER_END_TEXT_SIZE])
{
	int status = 0;
	pid_t ended;

	if (!worker)
		return;
	if (grace_ms > 0)
		await_end(worker, grace_ms);
	/* Also tells it to leave, should the signal not be allowed (no CAP_KILL). */
	closep(&worker->channel);
	worker->channel = -1;
	/* Not reaped yet, so its number belongs to nobody else. An ended one does not mind. */
	(void)kill(worker->pid, SIGKILL);
	do {
		ended = waitpid(worker->pid, &status, 0);
	} while (ended < 0 && errno == EINTR);
	if (text && ended == worker->pid)
		describe_end(status, text);
	else if (text)
		(void)snprintf(text, WORKER_END_TEXT_SIZE, "gone");
	worker_free(&worker);
}
