/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answer to "status" (docs/control.md). */
#include <stdio.h>

#include "backends/backend.h"
#include "base/clock.h"
#include "control/protocol.h"
#include "daemon/enforcing_private.h"

static json_t *time_json(uint64_t realtime_ns)
{
	char text[CLOCK_TEXT_SIZE];

	clock_format(realtime_ns, text);
	return json_string(text);
}

json_t *enforcing_profile_json(const struct enforcing *enforcing)
{
	const struct policy_summary *summary = &enforcing->policy->summary;
	const struct program_policy_counts *counts = &summary->counts;
	const struct policy_network *network = &summary->network;

	return json_pack(
		"{s:s, s:b, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", PROFILE_PATH,
		summary->profile, PROFILE_SIGNED, summary->is_signed, PROFILE_VERSION,
		summary->is_signed ? json_integer((json_int_t)summary->signature.version)
				   : json_null(),
		PROFILE_KEY_ID,
		summary->is_signed ? json_string(summary->signature.key_id) : json_null(),
		PROFILE_PROGRAMS, (json_int_t)counts->programs, PROFILE_PINNED,
		(json_int_t)counts->pinned, PROFILE_LIBRARIES, (json_int_t)counts->libraries,
		PROFILE_SCRIPTS, (json_int_t)counts->scripts, PROFILE_LISTENERS,
		(json_int_t)network->listeners, PROFILE_CONNECTIONS,
		(json_int_t)network->connections, PROFILE_NAMES, (json_int_t)network->names);
}

static json_t *layer_json(const char *name, bool on, const char *reason)
{
	return json_pack("{s:s, s:b, s:s?}", LAYER_NAME, name, LAYER_ON, on, LAYER_REASON, reason);
}

static void count_setting(void *context, const char *name, const char *sysctl, const char *before,
			  const char *now, int changed)
{
	json_t *list = context;

	(void)json_array_append_new(list,
				    json_pack("{s:s, s:s, s:s?, s:s?, s:b}", SETTING_NAME, name,
					      SETTING_SYSCTL, sysctl, SETTING_BEFORE, before,
					      SETTING_NOW, now, SETTING_CHANGED, changed > 0));
}

static json_t *settings_json(const struct enforcing *enforcing)
{
	json_t *list = json_array();

	if (enforcing->settings)
		settings_each(enforcing->settings, count_setting, list);
	return list;
}

static const char without_programs[] = "switched off by --rules-only";

/* "3 filesystems", and what the kernel holds back. */
static json_t *permission_layer_json(const struct enforcing *enforcing)
{
	const struct coverage *coverage;
	char places[96];

	if (!enforcing->guard)
		return layer_json(LAYER_PERMISSION_NAME, false,
				  enforcing->config->without_programs
					  ? without_programs
					  : "switched off by --without-fanotify");
	coverage = guard_keeper_coverage(enforcing->guard);
	(void)snprintf(
		places, sizeof(places), "%zu %s%s", coverage_count(coverage),
		coverage_scope_of(coverage) == COVERAGE_FILESYSTEMS ? "filesystems" : "mounts",
		coverage_has_exec_events(coverage) ? "" : ", opens alone (before Linux 5.0)");
	return layer_json(LAYER_PERMISSION_NAME, true, places);
}

/* "nftables; programs by look-up", or what is the matter. */
static json_t *rules_layer_json(const struct enforcing *enforcing)
{
	static const char *const bindings[] = {
		[BIND_NONE] = "whichever program",
		[BIND_LOOKUP] = "programs by look-up",
		[BIND_USER] = "programs by user, else by look-up",
	};
	const char *trouble;
	char text[160];

	if (!enforcing->gate)
		return layer_json(LAYER_RULES_NAME, false, "switched off by --programs-only");
	trouble = gate_keeper_trouble(enforcing->gate);
	(void)snprintf(text, sizeof(text), "%s; %s%s%s", enforcing->backend->name,
		       bindings[enforcing->config->network.rules.binding], trouble ? "; " : "",
		       trouble ? trouble : "");
	return layer_json(LAYER_RULES_NAME, true, text);
}

static void add_sweeper_layers(const struct enforcing *enforcing, json_t *list)
{
	const char *connector_off = enforcing->sweeper
					    ? sweeper_keeper_connector_off(enforcing->sweeper)
					    : without_programs;
	const char *sweeps =
		connector_off ? "several times a second" : "at the start and after losses";

	(void)json_array_append_new(
		list, layer_json(LAYER_CONNECTOR_NAME, connector_off == NULL, connector_off));
	(void)json_array_append_new(list,
				    layer_json(LAYER_SWEEP_NAME, enforcing->sweeper != NULL,
					       enforcing->sweeper ? sweeps : without_programs));
}

static json_t *layers_json(const struct enforcing *enforcing)
{
	bool settings = enforcing->config->setting_count > 0;
	json_t *list = json_array();

	(void)json_array_append_new(list, permission_layer_json(enforcing));
	add_sweeper_layers(enforcing, list);
	(void)json_array_append_new(list, rules_layer_json(enforcing));
	(void)json_array_append_new(list,
				    layer_json(LAYER_SETTINGS_NAME, settings,
					       settings ? NULL : "not asked for (--settings)"));
	return list;
}

static json_t *rules_json(const struct enforcing *enforcing)
{
	const struct gate_counts *counts;

	if (!enforcing->gate)
		return json_null();
	counts = gate_keeper_counts(enforcing->gate);
	return json_pack(
		"{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", RULES_BACKEND,
		enforcing->backend->name, RULES_REFUSED_OUT, (json_int_t)counts->refused_out,
		RULES_REFUSED_IN, (json_int_t)counts->refused_in, RULES_REFUSED_FORWARD,
		(json_int_t)counts->refused_forward, RULES_QUESTIONS, (json_int_t)counts->questions,
		RULES_QUESTIONS_REFUSED, (json_int_t)counts->questions_refused, RULES_ANSWERS,
		(json_int_t)counts->answers, RULES_ANSWERS_REFUSED,
		(json_int_t)counts->answers_refused, RULES_FLOWS, (json_int_t)counts->flows,
		RULES_FLOWS_REFUSED, (json_int_t)counts->flows_refused, RULES_NAMES,
		(json_int_t)counts->names, RULES_LONGEST_US, (json_int_t)counts->longest_us,
		RULES_READER_RESTARTS, (json_int_t)counts->reader_restarts);
}

static json_t *quarantine_json(struct enforcing *enforcing)
{
	struct quarantine_counts counts;

	if (!enforcing->quarantine)
		return json_null();
	counts = quarantine_counts(enforcing->quarantine);
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", QUARANTINE_KEPT, (json_int_t)counts.kept,
			 QUARANTINE_KNOWN, (json_int_t)counts.known, QUARANTINE_REFUSED,
			 (json_int_t)counts.refused, QUARANTINE_FAILED, (json_int_t)counts.failed,
			 QUARANTINE_LOST, (json_int_t)counts.lost);
}

static json_t *counters_json(const struct enforcing *enforcing)
{
	static const struct desk none;
	const struct desk *desk = enforcing->guard ? guard_keeper_desk(enforcing->guard) : &none;
	size_t places =
		enforcing->guard ? coverage_count(guard_keeper_coverage(enforcing->guard)) : 0;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			 COUNTER_EVENTS, (json_int_t)desk->events, COUNTER_PERMITTED,
			 (json_int_t)desk->permitted, COUNTER_DENIED, (json_int_t)desk->denied,
			 COUNTER_KILLED, (json_int_t)desk->killed, COUNTER_HASHED_FILES,
			 (json_int_t)desk->hashed_files, COUNTER_HASHED_BYTES,
			 (json_int_t)desk->hashed_bytes, COUNTER_CACHED, (json_int_t)desk->cached,
			 COUNTER_FINDINGS_LOST, (json_int_t)desk->findings_lost, COUNTER_LONGEST_US,
			 (json_int_t)(desk->longest_ns / 1000), COUNTER_OVERFLOWS,
			 (json_int_t)desk->overflows, COUNTER_UNREAD, (json_int_t)desk->unread,
			 COUNTER_UNSEEN, (json_int_t)desk->unseen, COUNTER_EXAMINED,
			 (json_int_t)desk->examined, COUNTER_PLACES, (json_int_t)places);
}

static void add_worker(json_t *list, const char *name, pid_t pid, unsigned int restarts)
{
	(void)json_array_append_new(list,
				    json_pack("{s:s, s:o, s:I}", WORKER_NAME, name, WORKER_PID,
					      pid > 0 ? json_integer(pid) : json_null(),
					      WORKER_RESTARTS, (json_int_t)restarts));
}

static json_t *workers_json(const struct enforcing *enforcing)
{
	json_t *list = json_array();

	if (enforcing->guard)
		add_worker(list, "guard", guard_keeper_pid(enforcing->guard),
			   guard_keeper_restarts(enforcing->guard));
	if (enforcing->sweeper)
		add_worker(list, "sweeper", sweeper_keeper_pid(enforcing->sweeper),
			   sweeper_keeper_restarts(enforcing->sweeper));
	if (enforcing->gate)
		add_worker(list, "gate", gate_keeper_pid(enforcing->gate),
			   gate_keeper_restarts(enforcing->gate));
	if (enforcing->quarantine)
		add_worker(list, "quarantine", quarantine_pid(enforcing->quarantine),
			   quarantine_restarts(enforcing->quarantine));
	return list;
}

static json_t *events_json(const struct enforcing *enforcing)
{
	struct event_log_counts counts = event_log_counts(enforcing->log);
	char directory[PATH_MAX];

	(void)snprintf(directory, sizeof(directory), "%s/events", enforcing->config->state);
	return json_pack("{s:I, s:I, s:I, s:s}", EVENTS_TOTAL_FINDINGS, (json_int_t)counts.findings,
			 EVENTS_LINES, (json_int_t)counts.lines, EVENTS_LOST_LINES,
			 (json_int_t)counts.lost_lines, EVENTS_DIRECTORY, directory);
}

static json_t *confirm_json(const struct enforcing *enforcing)
{
	uint64_t now_ns = clock_boottime_ns();

	if (!enforcing->confirm_until_ns)
		return json_null();
	if (enforcing->confirm_until_ns <= now_ns)
		return json_integer(0);
	return json_integer((json_int_t)((enforcing->confirm_until_ns - now_ns) / NS_PER_S));
}

json_t *enforcing_status_json(struct enforcing *enforcing)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 STATUS_MODE, enforcing->mode == GUARD_ENFORCE ? MODE_ENFORCE : MODE_AUDIT,
			 STATUS_SINCE, time_json(enforcing->mode_since_ns), STATUS_STARTED,
			 time_json(enforcing->started_ns), STATUS_CONFIRM_SECONDS,
			 confirm_json(enforcing), STATUS_PROFILE, enforcing_profile_json(enforcing),
			 STATUS_LAYERS, layers_json(enforcing), STATUS_COUNTERS,
			 counters_json(enforcing), STATUS_RULES, rules_json(enforcing),
			 STATUS_QUARANTINE, quarantine_json(enforcing), STATUS_WORKERS,
			 workers_json(enforcing), STATUS_SETTINGS, settings_json(enforcing),
			 STATUS_EVENTS, events_json(enforcing));
}
