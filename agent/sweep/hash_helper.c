/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sweep/hash_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "privilege/child.h"

struct hash_helper {
	struct hash_helper *next; /* older ones come first */
	struct hash_helpers *owner;
	struct loop_source *source;
	pid_t pid;
	int fd;
	uint64_t since_ns;
	hash_report_fn done;
	void *context;
};

struct hash_helpers {
	struct loop *loop;
	struct loop_source *timer; /* while there are any */
	struct hash_helper *first;
	size_t count;
};

static void end_helper(struct hash_helper *helper, const struct file_report *report)
{
	struct hash_helpers *helpers = helper->owner;
	struct hash_helper **place = &helpers->first;
	hash_report_fn done = helper->done;
	void *context = helper->context;

	while (*place != helper)
		place = &(*place)->next;
	*place = helper->next;
	helpers->count--;
	if (!helpers->count) {
		loop_remove(helpers->timer);
		helpers->timer = NULL;
	}
	loop_remove(helper->source);
	(void)close(helper->fd);
	/* it is our child and was not waited for: the pid is still its own */
	(void)kill(helper->pid, SIGKILL);
	(void)waitpid(helper->pid, NULL, 0);
	free(helper);
	if (report)
		done(context, report);
}

static void readable(void *context, int fd, uint32_t ready)
{
	struct file_report report;
	ssize_t got = read(fd, &report, sizeof(report));

	(void)ready;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got != sizeof(report))
		report = (struct file_report){.result = -EIO};
	end_helper(context, &report);
}

static void check_time(void *context)
{
	const struct file_report late = {.result = -ETIMEDOUT};
	struct hash_helpers *helpers = context;
	uint64_t now_ns = clock_monotonic_ns();

	while (helpers->first && now_ns - helpers->first->since_ns > HASH_HELPER_TIMEOUT_NS)
		end_helper(helpers->first, &late);
}

static int take_in(struct hash_helpers *helpers, struct hash_helper *helper)
{
	struct hash_helper **place = &helpers->first;
	int result = 0;

	if (!helpers->timer)
		result = loop_add_timer(helpers->loop, NS_PER_S, check_time, helpers,
					&helpers->timer);
	if (result == 0)
		result = loop_add_fd(helpers->loop, helper->fd, EPOLLIN, readable, helper,
				     &helper->source);
	if (result < 0)
		return result;
	while (*place)
		place = &(*place)->next;
	*place = helper;
	helpers->count++;
	return 0;
}

static void run_child(const struct hash_task *task, pid_t sweeper, int writer)
{
	struct file_report report;

	child_reset_signals();
	(void)signal(SIGIO, SIG_IGN); /* somebody wants a file that is held */
	(void)prctl(PR_SET_NAME, "rtguard-hash");
	if (child_die_with(sweeper) < 0)
		_exit(1);
	if (task->place >= 0)
		file_examine(task->place, task->size_limit, &report);
	else
		file_examine_of(task->pid, task->name, task->size_limit, &report);
	_exit(write(writer, &report, sizeof(report)) == sizeof(report) ? 0 : 1);
}

int hash_helpers_start(struct hash_helpers *helpers, const struct hash_task *task,
		       hash_report_fn done, void *context)
{
	const struct file_report crowded = {.result = -ETIMEDOUT};
	_cleanup_(freep) struct hash_helper *helper = calloc(1, sizeof(*helper));
	_cleanup_(closep) int reader = -1;
	_cleanup_(closep) int writer = -1;
	pid_t sweeper = getpid();
	int ends[2];
	int result;

	if (!helper)
		return -ENOMEM;
	if (helpers->count == HASH_HELPERS_LIMIT)
		end_helper(helpers->first, &crowded);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	reader = ends[0];
	writer = ends[1];
	if (fcntl(reader, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	*helper = (struct hash_helper){.owner = helpers,
				       .fd = reader,
				       .since_ns = clock_monotonic_ns(),
				       .done = done,
				       .context = context};
	helper->pid = fork();
	if (helper->pid < 0)
		return -errno;
	if (helper->pid == 0)
		run_child(task, sweeper, writer);
	result = take_in(helpers, helper);
	if (result < 0) {
		(void)kill(helper->pid, SIGKILL);
		(void)waitpid(helper->pid, NULL, 0);
		return result;
	}
	helper = NULL;
	(void)take_fd(&reader);
	return 0;
}

int hash_helpers_new(struct loop *loop, struct hash_helpers **ret_helpers)
{
	struct hash_helpers *helpers = calloc(1, sizeof(*helpers));

	if (!helpers)
		return -ENOMEM;
	helpers->loop = loop;
	*ret_helpers = helpers;
	return 0;
}

void hash_helpers_free(struct hash_helpers *helpers)
{
	if (!helpers)
		return;
	while (helpers->first)
		end_helper(helpers->first, NULL);
	free(helpers);
}
