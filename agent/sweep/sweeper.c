/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sweep/sweeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "observe/host/process_info.h"
#include "privilege/channel.h"
#include "privilege/child.h"
#include "sweep/image_watch.h"

/* Findings a second that are sent one by one; the supervisor has more to do. */
#define FINDINGS_PER_SECOND 200

struct sweeper {
	const struct sweeper_config *config;
	struct loop *loop;
	struct image_watch *watch;
	uint64_t second_ns; /* when counting began */
	uint32_t sent;	    /* since then */
	uint32_t lost;
};

static int offer(struct sweeper *sweeper, const struct sweeper_message *message, int fd)
{
	int result = channel_offer(sweeper->config->findings, message, sizeof(*message), 1, fd);

	/* nobody is left to tell: who asked us is gone */
	if (result == -EPIPE || result == -ECONNRESET)
		loop_stop(sweeper->loop, result);
	return result;
}

static bool may_send(struct sweeper *sweeper)
{
	uint64_t now_ns = clock_monotonic_ns();

	if (now_ns - sweeper->second_ns >= NS_PER_S) {
		sweeper->second_ns = now_ns;
		sweeper->sent = 0;
	}
	return sweeper->sent++ < FINDINGS_PER_SECOND;
}

static void found(void *context, const struct finding *finding, int fd)
{
	struct sweeper *sweeper = context;
	struct sweeper_message message = {
		.kind = SWEEPER_FINDING,
		.pid = finding->pid,
		.lost = sweeper->lost,
		.finding = *finding,
	};

	if (may_send(sweeper) && offer(sweeper, &message, fd) == 0)
		sweeper->lost = 0;
	else
		sweeper->lost++;
}

static void uncovered(void *context, pid_t pid, uint64_t device)
{
	const struct sweeper_message message = {
		.kind = SWEEPER_UNCOVERED, .pid = pid, .device = device};

	/* a lost one is told again by the next program from there, a second later */
	(void)offer(context, &message, -1);
}

static void tell_layers(struct sweeper *sweeper)
{
	const char *off = image_watch_connector_off(sweeper->watch);
	struct sweeper_message message = {.kind = SWEEPER_LAYERS, .connector = !off};

	(void)snprintf(message.reason, sizeof(message.reason), "%s", off ? off : "");
	(void)offer(sweeper, &message, -1);
}

static bool concerns(void *context, pid_t pid)
{
	const struct sweeper *sweeper = context;

	return pid != sweeper->config->supervisor && pid != getpid();
}

/* While the supervisor is stopped nobody replaces a guard that ended, and everybody waits. A
 * debugger's stop is another state. */
static void keep_supervisor_going(void *context)
{
	const struct sweeper *sweeper = context;
	struct process_stat status;

	if (process_stat_read(sweeper->config->supervisor, &status) == 0 && status.state == 'T')
		(void)kill(sweeper->config->supervisor, SIGCONT);
}

int sweeper_run(const struct sweeper_config *config)
{
	struct sweeper sweeper = {.config = config};
	const struct image_watch_config watch = {
		.policy = config->policy,
		.file_size_limit = config->file_size_limit,
		.only_reports = config->only_reports,
		.spare_running = config->spare_running,
		.without_connector = config->without_connector,
		.keep_files = config->pass_files,
		.concerns = concerns,
		.found = found,
		.uncovered = uncovered,
		.context = &sweeper,
	};
	int result = loop_new(&sweeper.loop);

	if (result < 0)
		return result;
	result = image_watch_new(sweeper.loop, &watch, &sweeper.watch);
	if (result == 0) {
		tell_layers(&sweeper);
		result = image_watch_start(sweeper.watch);
	}
	if (result == 0 && config->supervisor > 0)
		result = loop_add_timer(sweeper.loop, NS_PER_S, keep_supervisor_going, &sweeper,
					NULL);
	if (result == 0)
		result = loop_run(sweeper.loop);
	image_watch_free(sweeper.watch);
	loop_free(sweeper.loop);
	return result;
}

pid_t sweeper_start(const struct sweeper_config *config)
{
	pid_t pid = child_fork(config->findings);

	if (pid)
		return pid;
	/* from the terminal they reach the supervisor too, which tells us by its end */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGQUIT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)prctl(PR_SET_NAME, "rtguard-sweeper");
	/* each moment before its turn is one more that an intruder runs */
	(void)setpriority(PRIO_PROCESS, 0, -20);
	child_spare_from_memory_killer();
	_exit(sweeper_run(config) == 0 ? 0 : 1);
}
