/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/sweeper_keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "privilege/channel.h"
#include "privilege/child.h"

/* One that ends again at once is not started again at once. */
#define RETRY_NS      (100 * NS_PER_MS)
#define END_MS	      1000
#define MESSAGES_MOST 64 /* in one turn of the loop */

struct sweeper_keeper {
	struct loop *loop;
	struct sweeper_keeper_config config;
	int channel; /* our end; -1: none */
	struct loop_source *source;
	struct loop_source *retry;
	pid_t pid;
	bool told_to_end;
	unsigned int restarts;
	bool connector_known;
	bool connector;
	char reason[sizeof(((struct sweeper_message *)0)->reason)];
};

static void take(struct sweeper_keeper *keeper, const struct sweeper_message *message, int fd)
{
	const struct sweeper_keeper_config *config = &keeper->config;

	if (message->kind == SWEEPER_FINDING && finding_is_valid(&message->finding)) {
		config->found(config->context, &message->finding, fd);
		return;
	}
	if (fd >= 0)
		(void)close(fd);
	if (message->kind == SWEEPER_UNCOVERED && message->pid > 0) {
		config->uncovered(config->context, message->pid);
	} else if (message->kind == SWEEPER_LAYERS) {
		keeper->connector_known = true;
		keeper->connector = message->connector;
		memcpy(keeper->reason, message->reason, sizeof(keeper->reason));
		keeper->reason[sizeof(keeper->reason) - 1] = '\0';
	}
}

static void close_channel(struct sweeper_keeper *keeper)
{
	loop_remove(keeper->source);
	keeper->source = NULL;
	closep(&keeper->channel);
	keeper->channel = -1;
}

static void on_message(void *context, int channel, uint32_t events)
{
	struct sweeper_keeper *keeper = context;
	struct sweeper_message message;

	(void)events;
	for (int i = 0; i < MESSAGES_MOST; i++) {
		int fd = -1;
		int result = channel_receive(channel, &message, sizeof(message), 1, false, &fd);

		if (result == -EAGAIN)
			return;
		if (result <= 0) {
			close_channel(keeper); /* its end comes as SIGCHLD */
			return;
		}
		take(keeper, &message, fd);
	}
}

static int start(struct sweeper_keeper *keeper)
{
	int ends[2];
	int result = channel_pair(ends);
	pid_t pid;

	close_channel(keeper);
	keeper->told_to_end = false;
	keeper->pid = 0;
	if (result < 0)
		return result;
	keeper->config.sweeper.findings = ends[1];
	pid = sweeper_start(&keeper->config.sweeper);
	(void)close(ends[1]);
	if (pid < 0) {
		(void)close(ends[0]);
		return pid;
	}
	keeper->pid = pid;
	keeper->channel = ends[0];
	result = loop_add_fd(keeper->loop, ends[0], EPOLLIN, on_message, keeper, &keeper->source);
	keeper->config.started(keeper->config.context, pid);
	return result;
}

static void on_retry(void *context)
{
	struct sweeper_keeper *keeper = context;

	if (start(keeper) == 0) {
		loop_remove(keeper->retry);
		keeper->retry = NULL;
	}
}

bool sweeper_keeper_child(struct sweeper_keeper *keeper, pid_t pid, int status)
{
	bool was_told = keeper->told_to_end;
	char why[160];

	if (pid != keeper->pid)
		return false;
	if (WIFSTOPPED(status)) {
		(void)kill(pid, SIGKILL);
		return true;
	}
	if (keeper->channel >= 0)
		on_message(keeper, keeper->channel, EPOLLIN); /* its last words */
	if (!was_told)
		keeper->restarts++;
	/* A change is served at once; after a death, a moment later. */
	if ((!was_told || start(keeper) < 0) && !keeper->retry) {
		close_channel(keeper);
		keeper->pid = 0;
		(void)loop_add_timer(keeper->loop, RETRY_NS, on_retry, keeper, &keeper->retry);
	}
	if (was_told)
		return true;
	if (WIFSIGNALED(status))
		(void)snprintf(why, sizeof(why), "the sweeper was killed by signal %d (%s)",
			       WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		(void)snprintf(why, sizeof(why), "the sweeper ended with exit status %d",
			       WEXITSTATUS(status));
	keeper->config.replaced(keeper->config.context, FAILURE_SWEEPER_ENDED, why);
	return true;
}

int sweeper_keeper_new(struct loop *loop, const struct sweeper_keeper_config *config,
		       struct sweeper_keeper **ret_keeper, struct error *error)
{
	struct sweeper_keeper *keeper = calloc(1, sizeof(*keeper));
	int result;

	if (!keeper)
		return error_set(error, ENOMEM, "out of memory");
	keeper->loop = loop;
	keeper->config = *config;
	keeper->channel = -1;
	result = start(keeper);
	if (result < 0) {
		sweeper_keeper_free(keeper);
		return error_set(error, -result, "cannot start the sweeper: %s", strerror(-result));
	}
	*ret_keeper = keeper;
	return 0;
}

void sweeper_keeper_free(struct sweeper_keeper *keeper)
{
	if (!keeper)
		return;
	if (keeper->pid > 0) {
		(void)kill(keeper->pid, SIGKILL); /* it holds nothing that needs an order */
		(void)child_reap(keeper->pid, END_MS);
	}
	if (keeper->channel >= 0)
		on_message(keeper, keeper->channel, EPOLLIN);
	close_channel(keeper);
	loop_remove(keeper->retry);
	free(keeper);
}

void sweeper_keeper_change(struct sweeper_keeper *keeper, bool only_reports,
			   const struct program_policy *policy)
{
	keeper->config.sweeper.only_reports = only_reports;
	keeper->config.sweeper.policy = policy;
	if (keeper->pid > 0) {
		keeper->told_to_end = true;
		(void)kill(keeper->pid, SIGKILL);
	}
}

pid_t sweeper_keeper_pid(const struct sweeper_keeper *keeper)
{
	return keeper->pid;
}

unsigned int sweeper_keeper_restarts(const struct sweeper_keeper *keeper)
{
	return keeper->restarts;
}

const char *sweeper_keeper_connector_off(const struct sweeper_keeper *keeper)
{
	if (!keeper->connector_known)
		return "not known yet";
	return keeper->connector ? NULL : keeper->reason;
}
