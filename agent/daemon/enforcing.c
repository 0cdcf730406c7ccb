/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/enforcing_private.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/signals.h"
#include "control/protocol.h"
#include "daemon/enforcing_preflight.h"
#include "daemon/service_manager.h"
#include "privilege/channel.h"

#define FINDINGS_MOST	 64 /* in one turn of the loop */
#define TICK_NS		 NS_PER_S
#define DESCRIPTORS_MOST 65536 /* each event that waits for a hash has one */
#define OOM_NEVER	 "-1000"

void enforcing_say(struct enforcing *enforcing, enum event_kind kind, const char *format, ...)
{
	char sentence[700];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	(void)event_log_note(enforcing->log, kind, "%s", sentence);
	enforcing->config->tell(enforcing->config->context, sentence);
}

static void on_line(void *context, uint64_t id, const char *line)
{
	(void)id;
	struct enforcing *enforcing = context;

	event_followers_tell(&enforcing->followers, line);
}

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

static void take_finding(void *context, const struct finding *finding, int fd)
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

static void on_findings(void *context, int channel, uint32_t events)
{
	struct enforcing *enforcing = context;
	struct finding finding;

	(void)events;
	for (int i = 0; i < FINDINGS_MOST; i++) {
		int fd = -1;

		if (channel_receive(channel, &finding, sizeof(finding), 1, false, &fd) <= 0)
			return;
		if (finding_is_valid(&finding))
			take_finding(enforcing, &finding, fd);
		else if (fd >= 0)
			(void)close(fd);
	}
}

/* ---- the workers ---- */

static void note_instance(struct enforcing *enforcing)
{
	if (enforcing->guard)
		instance_note(enforcing->instance, guard_keeper_pid(enforcing->guard),
			      coverage_fd(guard_keeper_coverage(enforcing->guard)),
			      guard_keeper_desk_fd(enforcing->guard));
	else
		instance_note(enforcing->instance, 0, -1, -1);
}

static void on_replaced(void *context, enum failure failure, const char *why)
{
	const struct failure_answer *answer = failure_answer(failure);

	note_instance(context);
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

static void on_child(void *context, int signal_number)
{
	struct enforcing *enforcing = context;
	int status;
	pid_t pid;

	(void)signal_number;
	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		bool was_guard =
			enforcing->guard && guard_keeper_child(enforcing->guard, pid, status);

		if (was_guard)
			note_instance(enforcing);
		else if (enforcing->sweeper &&
			 sweeper_keeper_child(enforcing->sweeper, pid, status))
			continue;
		else if (enforcing->quarantine && quarantine_child(enforcing->quarantine, pid))
			trust_quarantine(enforcing);
	}
}

/* Makes the guard for a mode, not covering anything yet. A kernel without permission events leaves
 * the backstop, said so. */
static int make_guard(struct enforcing *enforcing, enum guard_mode mode, int group, int desk,
		      struct guard_keeper **ret_guard, struct error *error)
{
	const pid_t trusted[GUARD_TRUSTED] = {
		[GUARD_TRUSTED_SUPERVISOR] = getpid(),
		[GUARD_TRUSTED_SWEEPER] =
			enforcing->sweeper ? sweeper_keeper_pid(enforcing->sweeper) : 0,
		[GUARD_TRUSTED_QUARANTINE] =
			enforcing->quarantine ? quarantine_pid(enforcing->quarantine) : 0,
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
		.replaced = on_replaced,
		.context = enforcing,
	};

	return guard_keeper_new(enforcing->loop, &config, ret_guard, error);
}

static int cover(struct enforcing *enforcing, struct guard_keeper *guard, struct error *error)
{
	int result = guard_keeper_cover(guard, error);

	if (result == 0)
		coverage_on_change(guard_keeper_coverage(guard), on_coverage, enforcing);
	return result;
}

static int start_guard(struct enforcing *enforcing, int group, int desk, struct error *error)
{
	int result;

	if (enforcing->config->without_fanotify)
		return 0;
	result = make_guard(enforcing, enforcing->mode, group, desk, &enforcing->guard, error);
	if (result == -EINVAL && group >= 0) {
		/* what was left is of the other mode, in which it is of no use */
		(void)close(group);
		(void)close(desk);
		result = make_guard(enforcing, enforcing->mode, -1, -1, &enforcing->guard, error);
	}
	if (result == -EOPNOTSUPP)
		return error_prefix(error, "programs cannot be stopped before they begin "
					   "(--without-fanotify goes on with what stops them right "
					   "after)");
	return result;
}

static int start_sweeper(struct enforcing *enforcing, struct error *error)
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
		.found = take_finding,
		.uncovered = on_uncovered,
		.started = on_sweeper_started,
		.replaced = on_replaced,
		.context = enforcing,
	};

	return sweeper_keeper_new(enforcing->loop, &config, &enforcing->sweeper, error);
}

/* ---- changes ---- */

static const char *mode_text(enum guard_mode mode)
{
	return mode == GUARD_ENFORCE ? "enforces" : "only reports (audit)";
}

static void forget_confirmation(struct enforcing *enforcing)
{
	loop_remove(enforcing->confirm_timer);
	enforcing->confirm_timer = NULL;
	enforcing->confirm_until_ns = 0;
}

int enforcing_change_mode(struct enforcing *enforcing, enum guard_mode mode, const char *why,
			  struct error *error)
{
	struct guard_keeper *next = NULL;
	int result = 0;

	if (mode == enforcing->mode)
		return 0;
	if (enforcing->loading || enforcing->retiring)
		return error_set(error, EBUSY, "a profile is being loaded; try again in a moment");
	if (enforcing->guard) {
		result = make_guard(enforcing, mode, -1, -1, &next, error);
		if (result == 0)
			result = cover(enforcing, next, error);
	}
	if (result < 0) {
		guard_keeper_free(next);
		return result;
	}
	guard_keeper_free(enforcing->guard);
	enforcing->guard = next;
	enforcing->mode = mode;
	enforcing->mode_since_ns = clock_realtime_ns();
	forget_confirmation(enforcing);
	note_instance(enforcing);
	sweeper_keeper_change(enforcing->sweeper, mode == GUARD_AUDIT, enforcing->policy->policy);
	enforcing_say(enforcing, EVENT_MODE, "rtguard %s from now on: %s", mode_text(mode), why);
	return 0;
}

static void on_unconfirmed(void *context)
{
	struct enforcing *enforcing = context;
	struct error error = {0};

	if (enforcing_change_mode(enforcing, GUARD_AUDIT, "nobody confirmed it in time", &error) <
	    0)
		enforcing_say(enforcing, EVENT_MODE, "cannot go back to audit: %s", error.message);
}

void enforcing_confirm(struct enforcing *enforcing)
{
	forget_confirmation(enforcing);
	enforcing_say(enforcing, EVENT_MODE, "enforcement was confirmed and stays");
}

static void answer_reload(struct enforcing *enforcing, json_t *answer)
{
	if (enforcing->reload_peer)
		(void)control_answer(enforcing->reload_peer, answer);
	else
		json_decref(answer);
	enforcing->reload_peer = NULL;
}

/* Nobody works by the old policy any more. */
static void on_policy_in_force(void *context)
{
	struct enforcing *enforcing = context;

	policy_free(enforcing->retiring);
	enforcing->retiring = NULL;
	sweeper_keeper_change(enforcing->sweeper, enforcing->mode == GUARD_AUDIT,
			      enforcing->policy->policy);
	enforcing_say(enforcing, EVENT_PROFILE_LOADED, "%s is in force",
		      enforcing->policy->summary.profile);
	answer_reload(enforcing, json_pack("{s:b, s:o}", "ok", 1, "profile",
					   enforcing_profile_json(enforcing)));
}

static void on_policy_loaded(void *context, struct loaded_policy *policy, const struct error *error)
{
	struct enforcing *enforcing = context;
	struct policy_source source = enforcing->config->source;

	enforcing->loading = NULL;
	if (!policy) {
		enforcing_say(enforcing, EVENT_PROFILE_REFUSED,
			      "the new profile was refused, the old one stays in force: %s",
			      error->message);
		answer_reload(enforcing, control_error("%s", error->message));
		return;
	}
	enforcing->retiring = enforcing->policy;
	enforcing->policy = policy;
	policy_note_version(&source, &policy->summary);
	if (enforcing->guard)
		guard_keeper_set_policy(enforcing->guard, policy, on_policy_in_force);
	else
		on_policy_in_force(enforcing);
}

int enforcing_reload(struct enforcing *enforcing, const char *path, struct control_peer *peer,
		     struct error *error)
{
	struct policy_source source = enforcing->config->source;
	int result;

	if (enforcing->loading || enforcing->retiring)
		return error_set(error, EBUSY, "a profile is being loaded already");
	(void)snprintf(enforcing->reload_path, sizeof(enforcing->reload_path), "%s",
		       path ? path : enforcing->policy->summary.profile);
	source.profile = enforcing->reload_path;
	result = policy_load_begin(enforcing->loop, &source, on_policy_loaded, enforcing,
				   &enforcing->loading);
	if (result < 0)
		return error_set(error, -result, "cannot start loading: %s", strerror(-result));
	enforcing->reload_peer = peer;
	return 0;
}

/* ---- signals ---- */

static void on_stop(void *context, int signal_number)
{
	struct enforcing *enforcing = context;

	(void)signal_number;
	loop_stop(enforcing->loop, 0);
}

static void on_hangup(void *context, int signal_number)
{
	struct enforcing *enforcing = context;
	struct error error = {0};

	(void)signal_number;
	if (enforcing_reload(enforcing, NULL, NULL, &error) < 0)
		enforcing_say(enforcing, EVENT_PROFILE_REFUSED, "%s", error.message);
}

static void on_watchdog(void *context)
{
	(void)context;
	service_manager_tell("WATCHDOG=1");
}

static int add_watchdog(struct enforcing *enforcing)
{
	const char *interval = getenv("WATCHDOG_USEC");
	uint64_t interval_us = interval ? strtoull(interval, NULL, 10) : 0;

	if (!interval_us)
		return 0;
	return loop_add_timer(enforcing->loop, interval_us * 1000 / 2, on_watchdog, enforcing,
			      NULL);
}

static int add_sources(struct enforcing *enforcing)
{
	int result;

	/* what is not meant for us must not end us: sent to the guard too, it would let pass what
	 * waits */
	signals_block_all();
	result = loop_add_signal(enforcing->loop, SIGCHLD, on_child, enforcing, NULL);

	if (result == 0)
		result = loop_add_signal(enforcing->loop, SIGTERM, on_stop, enforcing, NULL);
	if (result == 0)
		result = loop_add_signal(enforcing->loop, SIGINT, on_stop, enforcing, NULL);
	if (result == 0)
		result = loop_add_signal(enforcing->loop, SIGHUP, on_hangup, enforcing, NULL);
	if (result == 0)
		result = add_watchdog(enforcing);
	if (result == 0)
		result = channel_pair(enforcing->findings);
	if (result == 0)
		result = loop_add_fd(enforcing->loop, enforcing->findings[0], EPOLLIN, on_findings,
				     enforcing, &enforcing->findings_source);
	return result;
}

/* ---- from start to stop ---- */

/* Files it may never be without, and memory that the kernel takes from others first. */
static void claim_resources(void)
{
	const struct rlimit descriptors = {DESCRIPTORS_MOST, DESCRIPTORS_MOST};
	_cleanup_(fclosep) FILE *file = fopen("/proc/self/oom_score_adj", "we");

	(void)setrlimit(RLIMIT_NOFILE, &descriptors);
	if (file)
		(void)fputs(OOM_NEVER, file);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int apply_settings(struct enforcing *enforcing, struct error *error)
{
	const struct enforcing_config *config = enforcing->config;
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/settings", config->state);
	return settings_apply(config->settings, config->setting_count, path, "",
			      &enforcing->settings, error);
}

static int open_log(struct enforcing *enforcing, struct error *error)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/events", enforcing->config->state);
	return event_log_new(path, EVENT_FILE_LIMIT, &enforcing->log, error);
}

/* Everything that opens files, before the first of them is guarded. */
static int prepare(struct enforcing *enforcing, struct error *error)
{
	const struct enforcing_config *config = enforcing->config;
	int result = open_log(enforcing, error);

	if (result == 0)
		result = policy_load(&config->source, &enforcing->policy, error);
	if (result == 0 && enforcing->mode == GUARD_ENFORCE)
		result = enforcing_preflight(enforcing, error);
	if (result == 0 && config->quarantine)
		result = quarantine_new(config->quarantine, &enforcing->quarantine, error);
	if (result == 0)
		result = apply_settings(enforcing, error);
	if (result < 0)
		return result;
	result = add_sources(enforcing);
	if (result < 0)
		return error_set(error, -result, "cannot set up signals and channels: %s",
				 strerror(-result));
	policy_note_version(&config->source, &enforcing->policy->summary);
	event_log_on_line(enforcing->log, on_line, enforcing);
	claim_resources();
	memory_give_back();
	return 0;
}

/* The socket while nothing of ours is guarded, or the guard that was left still answers; then the
 * guard: after the adoption nothing may be opened until it works. */
static int take_office(struct enforcing *enforcing, struct error *error)
{
	pid_t orphan = instance_orphan(enforcing->instance);
	int group;
	int desk;
	int result =
		control_server_new(enforcing->loop, enforcing->config->control, enforcing_commands,
				   enforcing_peer_gone, enforcing, &enforcing->control, error);

	if (result == 0)
		result = instance_adopt(enforcing->instance, &group, &desk, error);
	if (result == 0)
		result = start_sweeper(enforcing, error);
	if (result == 0)
		result = start_guard(enforcing, group, desk, error);
	if (result == 0 && enforcing->guard)
		result = cover(enforcing, enforcing->guard, error);
	if (result < 0)
		return result;
	note_instance(enforcing);
	if (orphan)
		enforcing_say(enforcing, EVENT_WORKER_RESTARTED,
			      "took over from guard %d, whose supervisor was gone", (int)orphan);
	if (!enforcing->guard)
		enforcing_say(
			enforcing, EVENT_LAYER,
			"no permission events (--without-fanotify), programs are stopped right "
			"after they began");
	return 0;
}

static int begin_confirmation(struct enforcing *enforcing)
{
	uint64_t confirm_ns = enforcing->config->confirm_ns;

	if (!confirm_ns || enforcing->mode == GUARD_AUDIT)
		return 0;
	enforcing->confirm_until_ns = clock_boottime_ns() + confirm_ns;
	return loop_add_timer(enforcing->loop, confirm_ns, on_unconfirmed, enforcing,
			      &enforcing->confirm_timer);
}

static int serve(struct enforcing *enforcing, struct error *error)
{
	int result = begin_confirmation(enforcing);

	if (result == 0) {
		const struct policy_summary *summary = &enforcing->policy->summary;

		enforcing_say(enforcing, EVENT_STARTED,
			      "rtguard %s %s: %zu programs, %zu libraries, %zu scripts",
			      mode_text(enforcing->mode), summary->profile,
			      summary->counts.programs, summary->counts.libraries,
			      summary->counts.scripts);
		service_manager_tell("READY=1");
		result = loop_run(enforcing->loop);
	}
	if (result < 0)
		return error_set(error, -result, "cannot wait for events: %s", strerror(-result));
	service_manager_tell("STOPPING=1");
	enforcing_say(enforcing, EVENT_STOPPED, "rtguard was told to stop: nothing is guarded now");
	return 0;
}

/* In this order: whoever waits is released first. */
static void release(struct enforcing *enforcing)
{
	policy_load_cancel(enforcing->loading);
	sweeper_keeper_free(enforcing->sweeper);
	enforcing->sweeper = NULL;
	guard_keeper_free(enforcing->guard);
	enforcing->guard = NULL;
	if (enforcing->findings_source)
		on_findings(enforcing, enforcing->findings[0], EPOLLIN);
	settings_restore(enforcing->settings);
	if (enforcing->stop_peer)
		(void)control_answer(enforcing->stop_peer, control_ok());
	control_server_free(enforcing->control);
	quarantine_free(enforcing->quarantine);
	event_log_free(enforcing->log);
	closep(&enforcing->findings[0]);
	closep(&enforcing->findings[1]);
	policy_free(enforcing->policy);
	policy_free(enforcing->retiring);
}

int enforcing_run(const struct enforcing_config *config, struct error *error)
{
	struct enforcing enforcing = {
		.config = config,
		.mode = config->mode,
		.findings = {-1, -1},
		.started_ns = clock_realtime_ns(),
		.mode_since_ns = clock_realtime_ns(),
	};
	char lock[PATH_MAX];
	int result;

	(void)snprintf(lock, sizeof(lock), "%s.lock", config->control);
	result = instance_claim(lock, &enforcing.instance, error);
	if (result < 0)
		return result;
	result = loop_new(&enforcing.loop);
	if (result < 0)
		(void)error_set(error, -result, "cannot make an event loop: %s", strerror(-result));
	if (result == 0)
		result = prepare(&enforcing, error);
	if (result == 0)
		result = take_office(&enforcing, error);
	if (result == 0)
		result = serve(&enforcing, error);
	release(&enforcing);
	loop_free(enforcing.loop);
	instance_free(enforcing.instance);
	return result;
}
