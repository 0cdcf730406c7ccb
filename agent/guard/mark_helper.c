/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/mark_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "observe/host/mount_table.h"

struct mark_helper {
	struct mark_helper *next; /* older ones come first */
	struct mark_helpers *owner;
	struct loop_source *source;
	pid_t pid;
	int fd;
	uint64_t mount_id; /* 0: a process's view */
};

struct mark_helpers {
	struct mark_helpers_config config;
	struct loop *loop;
	struct mark_helper *first;
	size_t count;
};

/* What a child knows. */
struct task {
	const struct mark_helpers_config *config;
	pid_t pid;
	int report;
};

_Static_assert(sizeof(struct mark_report) <= PIPE_BUF, "is written in one piece");

static void mark_and_report(const struct task *task, const struct mount_entry *entry,
			    enum mark_extent extent, const char *path)
{
	struct mark_report report = {
		.mount_id = entry->id, .device = entry->device, .foreign = task->pid != 0};

	report.result =
		fanotify_group_mark(task->config->group, extent, task->config->superblocks, path);
	(void)snprintf(report.place, sizeof(report.place), "%s", path);
	if (write(task->report, &report, sizeof(report)) < 0)
		_exit(1); /* nobody listens any more */
}

static void mark_entry(void *context, const struct mount_entry *entry)
{
	const struct task *task = context;
	enum mark_extent extent = fanotify_group_extent(task->config->group, entry->filesystem);
	char path[PATH_MAX];

	/* see coverage.c */
	if (extent == MARK_NOTHING || filesystem_keeper(entry->filesystem) == FILESYSTEM_PROCESS)
		return;
	if (snprintf(path, sizeof(path), "/proc/%d/root%s", (int)task->pid, entry->directory) <
	    (int)sizeof(path))
		mark_and_report(task, entry, extent, path);
}

static void end_helper(struct mark_helper *helper)
{
	struct mark_helper **place = &helper->owner->first;

	while (*place != helper)
		place = &(*place)->next;
	*place = helper->next;
	helper->owner->count--;
	loop_remove(helper->source);
	(void)close(helper->fd);
	/* it is our child and was not waited for: the pid is still its own */
	(void)kill(helper->pid, SIGKILL);
	(void)waitpid(helper->pid, NULL, 0);
	free(helper);
}

static void readable(void *context, int fd, uint32_t ready)
{
	struct mark_helper *helper = context;
	struct mark_helpers *helpers = helper->owner;
	struct mark_report report;
	ssize_t got;

	(void)ready;
	while ((got = read(fd, &report, sizeof(report))) == sizeof(report)) {
		report.place[sizeof(report.place) - 1] = '\0';
		helpers->config.marked(helpers->config.context, &report);
	}
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	end_helper(helper);
	helpers->config.finished(helpers->config.context);
}

static int take_in(struct mark_helpers *helpers, pid_t pid, int fd, uint64_t mount_id)
{
	struct mark_helper *helper = calloc(1, sizeof(*helper));
	struct mark_helper **place = &helpers->first;
	int result;

	if (!helper)
		return -ENOMEM;
	result = loop_add_fd(helpers->loop, fd, EPOLLIN, readable, helper, &helper->source);
	if (result < 0) {
		free(helper);
		return result;
	}
	helper->owner = helpers;
	helper->pid = pid;
	helper->fd = fd;
	helper->mount_id = mount_id;
	while (*place)
		place = &(*place)->next;
	*place = helper;
	helpers->count++;
	return 0;
}

/* Returns the child's pid in the parent, 0 in the child, or negative errno. */
static pid_t split(struct mark_helpers *helpers, uint64_t mount_id, int *ret_report)
{
	_cleanup_(closep) int reader = -1;
	_cleanup_(closep) int writer = -1;
	pid_t supervisor = getpid();
	int ends[2];
	pid_t pid;
	int result;

	if (helpers->count == MARK_HELPERS_LIMIT)
		end_helper(helpers->first);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	reader = ends[0];
	writer = ends[1];
	if (fcntl(reader, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)prctl(PR_SET_NAME, "rtguard-marker");
		if (getppid() != supervisor)
			_exit(1);
		*ret_report = take_fd(&writer);
		return 0;
	}
	result = take_in(helpers, pid, reader, mount_id);
	if (result < 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return result;
	}
	(void)take_fd(&reader);
	return pid;
}

int mark_helpers_mount(struct mark_helpers *helpers, const struct mount_entry *entry,
		       enum mark_extent extent)
{
	struct task task = {.config = &helpers->config};
	pid_t pid = split(helpers, entry->id, &task.report);

	if (pid)
		return pid < 0 ? pid : 0;
	mark_and_report(&task, entry, extent, entry->directory);
	_exit(0);
}

int mark_helpers_process(struct mark_helpers *helpers, pid_t of)
{
	struct task task = {.config = &helpers->config, .pid = of};
	pid_t pid = split(helpers, 0, &task.report);

	if (pid)
		return pid < 0 ? pid : 0;
	(void)mount_table_walk(of, mark_entry, &task);
	_exit(0);
}

bool mark_helpers_busy(const struct mark_helpers *helpers, uint64_t mount_id)
{
	for (const struct mark_helper *helper = helpers->first; helper; helper = helper->next)
		if (helper->mount_id == mount_id)
			return true;
	return false;
}

int mark_helpers_new(struct loop *loop, const struct mark_helpers_config *config,
		     struct mark_helpers **ret_helpers)
{
	struct mark_helpers *helpers = calloc(1, sizeof(*helpers));

	if (!helpers)
		return -ENOMEM;
	helpers->config = *config;
	helpers->loop = loop;
	*ret_helpers = helpers;
	return 0;
}

void mark_helpers_free(struct mark_helpers *helpers)
{
	if (!helpers)
		return;
	while (helpers->first)
		end_helper(helpers->first);
	free(helpers);
}
