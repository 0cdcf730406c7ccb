/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guard, sweeper and keeper: started, watched, replaced; and what they say. */
#include "daemon/enforcing_private.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "privilege/channel.h"

#define FINDINGS_MOST 64 /* in one turn of the loop */
#define TICK_NS	      NS_PER_S

/* ---- findings ---- */

static void on_tick(void *context)
{
	struct enforcing *enforcing = context;

	event_log_tick(enforcing->log);
	if (event_log_next_ns(enforcing->log))
		return;
	loop_remove(enforcing->tick);
	enforcing->tick = NULL;
}

void enforcing_take_finding(void *context, const struct finding *finding, int fd)
{
	struct enforcing *enforcing = context;

	uint64_t id = event_log_finding(enforcing->log, finding);

	if (event_log_next_ns(enforcing->log) && !enforcing->tick)
		(void)loop_add_timer(enforcing->loop, TICK_NS, on_tick, enforcing,
				     &enforcing->tick);
	if (fd >= 0 && enforcing->quarantine)
		quarantine_keep(enforcing->quarantine, fd, finding, id);
	else if (fd >= 0)
		(void)close(fd);
}

void enforcing_take_findings(void *context, int channel, uint32_t events)
{
	struct enforcing *enforcing = context;
	struct finding finding;

	(void)events;
	for (int i = 0; i < FINDINGS_MOST; i++) {
		int fd = -1;

		if (channel_receive(channel, &finding, sizeof(finding), 1, false, &fd) <= 0)
			return;
		if (finding_is_valid(&finding))
			enforcing_take_finding(enforcing, &finding, fd);
		else if (fd >= 0)
			(void)close(fd);
	}
}

/* ---- the workers ---- */

void enforcing_note_instance(struct enforcing *enforcing)
{
	if (enforcing->guard)
		instance_note(enforcing->instance, guard_keeper_pid(enforcing->guard),
			      coverage_fd(guard_keeper_coverage(enforcing->guard)),
			      guard_keeper_desk_fd(enforcing->guard));
	else
		instance_note(enforcing->instance, 0, -1, -1);
}

void enforcing_on_replaced(void *context, enum failure failure, const char *why)
{
	const struct failure_answer *answer = failure_answer(failure);

	enforcing_note_instance(context);
	enforcing_say(context, EVENT_WORKER_RESTARTED, "%s: %s; %s", answer->name, why,
		      answer->answer);
}

static void on_sweeper_started(void *context, pid_t pid)
{
	struct enforcing *enforcing = context;

	if (enforcing->guard)
		guard_keeper_set_trusted(enforcing->guard, GUARD_TRUSTED_SWEEPER, pid);
}

static void trust_quarantine(struct enforcing *enforcing)
{
	if (enforcing->guard)
		guard_keeper_set_trusted(enforcing->guard, GUARD_TRUSTED_QUARANTINE,
					 quarantine_pid(enforcing->quarantine));
}

static void on_uncovered(void *context, pid_t pid)
{
	struct enforcing *enforcing = context;

	if (enforcing->guard)
		(void)coverage_extend(guard_keeper_coverage(enforcing->guard), pid);
}

/* A place that cannot be guarded is told once for each number of them. */
static void on_coverage(void *context)
{
	struct enforcing *enforcing = context;
	const struct coverage *coverage = guard_keeper_coverage(enforcing->guard);
	size_t gaps = coverage_gaps(coverage);

	if (gaps > enforcing->gaps_told)
		enforcing_say(enforcing, EVENT_LAYER,
			      "%zu places that could hold programs are not guarded, among them %s; "
			      "programs there are stopped right after they began",
			      gaps, coverage_gap(coverage));
	enforcing->gaps_told = gaps;
}

void enforcing_take_children(void *context, int signal_number)
{
	struct enforcing *enforcing = context;
	int status;
	pid_t pid;

	(void)signal_number;
	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		bool was_guard =
			enforcing->guard && guard_keeper_child(enforcing->guard, pid, status);

		if (was_guard)
			enforcing_note_instance(enforcing);
		else if (enforcing->sweeper &&
			 sweeper_keeper_child(enforcing->sweeper, pid, status))
			continue;
		else if (enforcing->gate && gate_keeper_child(enforcing->gate, pid, status))
			continue;
		else if (enforcing->quarantine && quarantine_child(enforcing->quarantine, pid))
			trust_quarantine(enforcing);
	}
}

/* Makes the guard for a mode, not covering anything yet. A kernel without permission events leaves
 * the backstop, said so. */
int enforcing_make_guard(struct enforcing *enforcing, enum guard_mode mode, int group, int desk,
			 struct guard_keeper **ret_guard, struct error *error)
{
	const pid_t trusted[GUARD_TRUSTED] = {
		[GUARD_TRUSTED_SUPERVISOR] = getpid(),
		[GUARD_TRUSTED_SWEEPER] =
			enforcing->sweeper ? sweeper_keeper_pid(enforcing->sweeper) : 0,
		[GUARD_TRUSTED_QUARANTINE] =
			enforcing->quarantine ? quarantine_pid(enforcing->quarantine) : 0,
		[GUARD_TRUSTED_GATE] = enforcing->gate ? gate_keeper_pid(enforcing->gate) : 0,
	};
	const struct guard_keeper_config config = {
		.mode = mode,
		.findings = enforcing->findings[1],
		.pass_files = enforcing->quarantine != NULL,
		.policy = enforcing->policy,
		.trusted = trusted,
		.file_size_limit = enforcing->config->file_size_limit,
		.inherited_group = group,
		.inherited_desk = desk,
		.replaced = enforcing_on_replaced,
		.context = enforcing,
	};

	return guard_keeper_new(enforcing->loop, &config, ret_guard, error);
}

int enforcing_cover(struct enforcing *enforcing, struct guard_keeper *guard, struct error *error)
{
	int result = guard_keeper_cover(guard, error);

	if (result == 0)
		coverage_on_change(guard_keeper_coverage(guard), on_coverage, enforcing);
	return result;
}

int enforcing_start_guard(struct enforcing *enforcing, int group, int desk, struct error *error)
{
	int result;

	if (enforcing->config->without_fanotify || enforcing->config->without_programs)
		return 0;
	result = enforcing_make_guard(enforcing, enforcing->mode, group, desk, &enforcing->guard,
				      error);
	if (result == -EINVAL && group >= 0) {
		/* what was left is of the other mode, in which it is of no use */
		(void)close(group);
		(void)close(desk);
		result = enforcing_make_guard(enforcing, enforcing->mode, -1, -1, &enforcing->guard,
					      error);
	}
	if (result == -EOPNOTSUPP)
		return error_prefix(error, "programs cannot be stopped before they begin "
					   "(--without-fanotify goes on with what stops them right "
					   "after)");
	return result;
}

int enforcing_start_sweeper(struct enforcing *enforcing, struct error *error)
{
	const struct sweeper_keeper_config config = {
		.sweeper =
			{
				.only_reports = enforcing->mode == GUARD_AUDIT,
				.pass_files = enforcing->quarantine != NULL,
				.policy = enforcing->policy->policy,
				.supervisor = getpid(),
				.file_size_limit = enforcing->config->file_size_limit,
			},
		.found = enforcing_take_finding,
		.uncovered = on_uncovered,
		.started = on_sweeper_started,
		.replaced = enforcing_on_replaced,
		.context = enforcing,
	};

	return sweeper_keeper_new(enforcing->loop, &config, &enforcing->sweeper, error);
}
