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

#include "backends/backend.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/signals.h"
#include "daemon/enforcing_preflight.h"
#include "daemon/service_manager.h"
#include "privilege/channel.h"

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
	result =
		loop_add_signal(enforcing->loop, SIGCHLD, enforcing_take_children, enforcing, NULL);

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
		result = loop_add_fd(enforcing->loop, enforcing->findings[0], EPOLLIN,
				     enforcing_take_findings, enforcing,
				     &enforcing->findings_source);
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
	if (result == 0)
		result = enforcing_choose_backend(enforcing, error);
	if (result == 0 && enforcing->mode == GUARD_ENFORCE)
		result = enforcing_preflight(enforcing, error);
	if (result == 0 && config->quarantine)
		result = quarantine_new(config->quarantine, &enforcing->quarantine, error);
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

/* The socket and the rules while nothing of ours is guarded, or the guard that was left still
 * answers; then the guard: after the adoption nothing may be opened until it works. */
static int take_office(struct enforcing *enforcing, struct error *error)
{
	pid_t orphan = instance_orphan(enforcing->instance);
	int group;
	int desk;
	int result =
		control_server_new(enforcing->loop, enforcing->config->control, enforcing_commands,
				   enforcing_peer_gone, enforcing, &enforcing->control, error);

	if (result == 0)
		result = enforcing_start_rules(enforcing, error);
	if (result == 0) /* after the rules: one of them keeps the kernel from loading modules */
		result = apply_settings(enforcing, error);
	if (result == 0)
		result = instance_adopt(enforcing->instance, &group, &desk, error);
	if (result == 0 && !enforcing->config->without_programs)
		result = enforcing_start_sweeper(enforcing, error);
	if (result == 0)
		result = enforcing_start_guard(enforcing, group, desk, error);
	if (result == 0 && enforcing->guard)
		result = enforcing_cover(enforcing, enforcing->guard, error);
	if (result < 0)
		return result;
	enforcing_note_instance(enforcing);
	if (orphan)
		enforcing_say(enforcing, EVENT_WORKER_RESTARTED,
			      "took over from guard %d, whose supervisor was gone", (int)orphan);
	if (enforcing->config->without_programs)
		enforcing_say(enforcing, EVENT_LAYER,
			      "no program is looked at (--rules-only): connections alone are held");
	else if (!enforcing->guard)
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
	return loop_add_timer(enforcing->loop, confirm_ns, enforcing_on_unconfirmed, enforcing,
			      &enforcing->confirm_timer);
}

static int serve(struct enforcing *enforcing, struct error *error)
{
	int result = begin_confirmation(enforcing);

	if (result == 0) {
		const struct policy_summary *summary = &enforcing->policy->summary;

		enforcing_say(enforcing, EVENT_STARTED,
			      "rtguard %s %s: %zu programs, %zu libraries, %zu scripts; "
			      "%zu listeners, %zu connections, %zu names%s%s",
			      enforcing_mode_text(enforcing->mode), summary->profile,
			      summary->counts.programs, summary->counts.libraries,
			      summary->counts.scripts, summary->network.listeners,
			      summary->network.connections, summary->network.names,
			      enforcing->backend ? " by " : ", not held (--programs-only)",
			      enforcing->backend ? enforcing->backend->name : "");
		service_manager_tell("READY=1");
		result = loop_run(enforcing->loop);
	}
	if (result < 0)
		return error_set(error, -result, "cannot wait for events: %s", strerror(-result));
	enforcing->is_stopping = true;
	service_manager_tell("STOPPING=1");
	enforcing_say(enforcing, EVENT_STOPPED, "rtguard was told to stop: nothing is guarded now");
	return 0;
}

static json_t *stop_answer(int result, const struct error *error)
{
	return result < 0 ? control_error("the rules for connections are still there, 'rtguard "
					  "stop' tries again: %s",
					  error->message)
			  : control_ok();
}

/* In this order: whoever waits is released first. Returns what became of the rules. */
static int release(struct enforcing *enforcing, struct error *error)
{
	int result;

	policy_load_cancel(enforcing->loading);
	sweeper_keeper_free(enforcing->sweeper);
	enforcing->sweeper = NULL;
	guard_keeper_free(enforcing->guard);
	enforcing->guard = NULL;
	if (enforcing->findings_source)
		enforcing_take_findings(enforcing, enforcing->findings[0], EPOLLIN);
	result = enforcing_end_rules(enforcing, error);
	settings_restore(enforcing->settings);
	if (enforcing->stop_peer)
		(void)control_answer(enforcing->stop_peer, stop_answer(result, error));
	control_server_free(enforcing->control);
	quarantine_free(enforcing->quarantine);
	event_log_free(enforcing->log);
	closep(&enforcing->findings[0]);
	closep(&enforcing->findings[1]);
	policy_free(enforcing->policy);
	policy_free(enforcing->retiring);
	policy_free(enforcing->candidate);
	return result;
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
	struct error ending = {0};
	char lock[PATH_MAX];
	int released;
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
	released = release(&enforcing, result < 0 ? &ending : error);
	if (released < 0 && result < 0)
		(void)error_set(error, error->code, "%s; and %s", error->message, ending.message);
	else if (released < 0)
		result = released;
	loop_free(enforcing.loop);
	instance_free(enforcing.instance);
	return result;
}
