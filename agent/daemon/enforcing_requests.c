/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "control/protocol.h"
#include "daemon/enforcing_private.h"

/* ---- status ---- */

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

	return json_pack("{s:s, s:b, s:o, s:o, s:I, s:I, s:I, s:I}", PROFILE_PATH, summary->profile,
			 PROFILE_SIGNED, summary->is_signed, PROFILE_VERSION,
			 summary->is_signed ? json_integer((json_int_t)summary->signature.version)
					    : json_null(),
			 PROFILE_KEY_ID,
			 summary->is_signed ? json_string(summary->signature.key_id) : json_null(),
			 PROFILE_PROGRAMS, (json_int_t)counts->programs, PROFILE_PINNED,
			 (json_int_t)counts->pinned, PROFILE_LIBRARIES,
			 (json_int_t)counts->libraries, PROFILE_SCRIPTS,
			 (json_int_t)counts->scripts);
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

/* "3 filesystems", and what the kernel holds back. */
static json_t *permission_layer_json(const struct enforcing *enforcing)
{
	const struct coverage *coverage;
	char places[96];

	if (!enforcing->guard)
		return layer_json(LAYER_PERMISSION_NAME, false,
				  "switched off by --without-fanotify");
	coverage = guard_keeper_coverage(enforcing->guard);
	(void)snprintf(
		places, sizeof(places), "%zu %s%s", coverage_count(coverage),
		coverage_scope_of(coverage) == COVERAGE_FILESYSTEMS ? "filesystems" : "mounts",
		coverage_has_exec_events(coverage) ? "" : ", opens alone (before Linux 5.0)");
	return layer_json(LAYER_PERMISSION_NAME, true, places);
}

static json_t *layers_json(const struct enforcing *enforcing)
{
	const char *connector_off = sweeper_keeper_connector_off(enforcing->sweeper);
	json_t *list = json_array();

	(void)json_array_append_new(list, permission_layer_json(enforcing));
	(void)json_array_append_new(
		list, layer_json(LAYER_CONNECTOR_NAME, connector_off == NULL, connector_off));
	(void)json_array_append_new(list,
				    layer_json(LAYER_SWEEP_NAME, true,
					       connector_off ? "several times a second"
							     : "at the start and after losses"));
	(void)json_array_append_new(
		list,
		layer_json(LAYER_SETTINGS_NAME, enforcing->config->setting_count > 0,
			   enforcing->config->setting_count ? NULL : "not asked for (--settings)"));
	return list;
}

static json_t *counters_json(const struct enforcing *enforcing)
{
	static const struct desk none;
	const struct desk *desk = enforcing->guard ? guard_keeper_desk(enforcing->guard) : &none;
	size_t places =
		enforcing->guard ? coverage_count(guard_keeper_coverage(enforcing->guard)) : 0;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", COUNTER_EVENTS,
			 (json_int_t)desk->events, COUNTER_PERMITTED, (json_int_t)desk->permitted,
			 COUNTER_DENIED, (json_int_t)desk->denied, COUNTER_KILLED,
			 (json_int_t)desk->killed, COUNTER_HASHED_FILES,
			 (json_int_t)desk->hashed_files, COUNTER_HASHED_BYTES,
			 (json_int_t)desk->hashed_bytes, COUNTER_CACHED, (json_int_t)desk->cached,
			 COUNTER_FINDINGS_LOST, (json_int_t)desk->findings_lost, COUNTER_LONGEST_US,
			 (json_int_t)(desk->longest_ns / 1000), COUNTER_OVERFLOWS,
			 (json_int_t)desk->overflows, COUNTER_PLACES, (json_int_t)places);
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
	add_worker(list, "sweeper", sweeper_keeper_pid(enforcing->sweeper),
		   sweeper_keeper_restarts(enforcing->sweeper));
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

static json_t *on_status(void *context, struct control_peer *peer, const json_t *request)
{
	const struct enforcing *enforcing = context;

	(void)peer;
	(void)request;
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", STATUS_MODE,
			 enforcing->mode == GUARD_ENFORCE ? MODE_ENFORCE : MODE_AUDIT, STATUS_SINCE,
			 time_json(enforcing->mode_since_ns), STATUS_STARTED,
			 time_json(enforcing->started_ns), STATUS_CONFIRM_SECONDS,
			 confirm_json(enforcing), STATUS_PROFILE, enforcing_profile_json(enforcing),
			 STATUS_LAYERS, layers_json(enforcing), STATUS_COUNTERS,
			 counters_json(enforcing), STATUS_WORKERS, workers_json(enforcing),
			 STATUS_SETTINGS, settings_json(enforcing), STATUS_EVENTS,
			 events_json(enforcing));
}

/* ---- events ---- */

static json_t *on_events(void *context, struct control_peer *peer, const json_t *request)
{
	struct enforcing *enforcing = context;

	return event_followers_request(&enforcing->followers, enforcing->log, peer, request);
}

/* ---- changes ---- */

static json_t *on_confirm(void *context, struct control_peer *peer, const json_t *request)
{
	struct enforcing *enforcing = context;

	(void)peer;
	(void)request;
	if (!enforcing->confirm_until_ns)
		return control_error("nothing waits to be confirmed");
	enforcing_confirm(enforcing);
	return control_ok();
}

static json_t *on_reload(void *context, struct control_peer *peer, const json_t *request)
{
	const json_t *profile = json_object_get(request, RELOAD_PROFILE);
	struct error error = {0};

	if (profile && (!json_is_string(profile) || json_string_value(profile)[0] != '/'))
		return control_error("profile: expected a path that begins with '/'");
	if (enforcing_reload(context, json_string_value(profile), peer, &error) < 0)
		return control_error("%s", error.message);
	return NULL;
}

static json_t *on_mode(void *context, struct control_peer *peer, const json_t *request)
{
	const char *mode = json_string_value(json_object_get(request, STATUS_MODE));
	struct error error = {0};
	int result;

	(void)peer;
	if (mode && strcmp(mode, MODE_ENFORCE) == 0)
		result = enforcing_change_mode(context, GUARD_ENFORCE, "asked for", &error);
	else if (mode && strcmp(mode, MODE_AUDIT) == 0)
		result = enforcing_change_mode(context, GUARD_AUDIT, "asked for", &error);
	else
		return control_error("mode: expected \"%s\" or \"%s\"", MODE_ENFORCE, MODE_AUDIT);
	return result < 0 ? control_error("%s", error.message) : control_ok();
}

static json_t *on_stop(void *context, struct control_peer *peer, const json_t *request)
{
	struct enforcing *enforcing = context;

	(void)request;
	enforcing->stop_peer = peer;
	loop_stop(enforcing->loop, 0);
	return NULL;
}

void enforcing_peer_gone(void *context, struct control_peer *peer)
{
	struct enforcing *enforcing = context;

	if (enforcing->reload_peer == peer)
		enforcing->reload_peer = NULL;
	if (enforcing->stop_peer == peer)
		enforcing->stop_peer = NULL;
	event_followers_forget(&enforcing->followers, peer);
}

const struct control_command enforcing_commands[] = {
	{REQUEST_STATUS, false, on_status},
	{REQUEST_EVENTS, false, on_events},
	{REQUEST_CONFIRM, true, on_confirm},
	{REQUEST_RELOAD, true, on_reload},
	{REQUEST_MODE, true, on_mode},
	{REQUEST_STOP, true, on_stop},
	{NULL, false, NULL},
};
