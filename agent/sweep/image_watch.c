/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sweep/image_watch.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "observe/host/process_events.h"
#include "observe/host/process_sweep.h"
#include "process/process_end.h"
#include "sweep/image_check.h"
#include "sweep/image_finding.h"

/* Without process events. */
#define SWEEP_INTERVAL_NS (200 * NS_PER_MS)

/* While what was ended may have left children behind: a fork is no exec, and tells nobody. */
#define CHASE_INTERVAL_NS (20 * NS_PER_MS)

struct image_watch {
	struct image_watch_config config;
	struct loop *loop;
	struct image_checks *checks;
	struct process_events *events;
	const char *events_off;
	uint64_t losses_seen;
	struct loop_source *sweeps;
	struct loop_source *chase;
	bool spares; /* the first sweep goes on */
	bool ended_any;
};

static bool concerns(const struct image_watch *watch, pid_t pid)
{
	return !watch->config.concerns || watch->config.concerns(watch->config.context, pid);
}

static void visit(void *context, const struct swept_process *process)
{
	struct image_watch *watch = context;

	if (concerns(watch, process->pid))
		image_checks_met(watch->checks, process, watch->spares);
}

static void sweep(void *context)
{
	struct image_watch *watch = context;

	(void)process_sweep_run(visit, watch);
}

static void chase(void *context)
{
	struct image_watch *watch = context;

	watch->ended_any = false;
	sweep(watch);
	if (watch->ended_any || image_checks_pending(watch->checks))
		return;
	loop_remove(watch->chase);
	watch->chase = NULL;
}

static void start_chase(struct image_watch *watch)
{
	watch->ended_any = true;
	if (!watch->chase)
		(void)loop_add_timer(watch->loop, CHASE_INTERVAL_NS, chase, watch, &watch->chase);
}

static enum image_fate found(void *context, const struct image_verdict *verdict)
{
	struct image_watch *watch = context;
	struct finding finding;
	int result = -EPERM;

	image_finding_begin(verdict, &finding);
	if (!watch->config.only_reports && !verdict->spared)
		result = process_end(NULL, &verdict->image);
	/* one that is gone by itself is told too: it ran */
	image_finding_complete(verdict, result == 0 ? ACTION_KILLED : ACTION_REPORTED, &finding);
	watch->config.found(watch->config.context, &finding, verdict->fd);
	if (result < 0 && result != -ESRCH)
		return IMAGE_SPARED;
	start_chase(watch);
	return result == 0 ? IMAGE_ENDED : IMAGE_LEFT;
}

static void uncovered(void *context, pid_t pid, uint64_t device)
{
	struct image_watch *watch = context;

	watch->config.uncovered(watch->config.context, pid, device);
}

static void happened(void *context, const struct process_event *event)
{
	struct image_watch *watch = context;

	if (event->kind == PROCESS_EVENT_EXIT)
		image_checks_gone(watch->checks, event->pid);
	else if (event->kind == PROCESS_EVENT_FORK && concerns(watch, event->pid))
		image_checks_forked(watch->checks, event->parent, event->pid, event->time_ns);
	else if (event->kind == PROCESS_EVENT_EXEC && concerns(watch, event->pid))
		image_checks_executed(watch->checks, event->pid, event->time_ns);
}

static void drained(void *context)
{
	struct image_watch *watch = context;
	uint64_t lost = process_events_lost(watch->events);

	if (lost == watch->losses_seen)
		return;
	watch->losses_seen = lost;
	sweep(watch);
}

int image_watch_start(struct image_watch *watch)
{
	int result;

	watch->spares = watch->config.spare_running;
	result = process_sweep_run(visit, watch);
	watch->spares = false;
	if (!watch->events && result == 0)
		result = loop_add_timer(watch->loop, SWEEP_INTERVAL_NS, sweep, watch,
					&watch->sweeps);
	return result;
}

const char *image_watch_connector_off(const struct image_watch *watch)
{
	return watch->events ? NULL : watch->events_off;
}

size_t image_watch_pending(const struct image_watch *watch)
{
	return image_checks_pending(watch->checks);
}

int image_watch_new(struct loop *loop, const struct image_watch_config *config,
		    struct image_watch **ret_watch)
{
	struct image_watch *watch = calloc(1, sizeof(*watch));
	const struct image_checks_config checks = {
		.policy = config->policy,
		.file_size_limit = config->file_size_limit,
		.keep_files = config->keep_files,
		.found = found,
		.uncovered = uncovered,
		.context = watch,
	};
	int result;

	if (!watch)
		return -ENOMEM;
	watch->config = *config;
	watch->loop = loop;
	watch->events_off = "switched off";
	result = image_checks_new(loop, &checks, &watch->checks);
	if (result < 0) {
		free(watch);
		return result;
	}
	/* before the first sweep, so that nothing is missed between */
	if (!config->without_connector &&
	    process_events_new(loop, happened, drained, watch, &watch->events, &watch->events_off) <
		    0)
		watch->events = NULL;
	*ret_watch = watch;
	return 0;
}

void image_watch_free(struct image_watch *watch)
{
	if (!watch)
		return;
	loop_remove(watch->sweeps);
	loop_remove(watch->chase);
	process_events_free(watch->events);
	image_checks_free(watch->checks);
	free(watch);
}
