/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/enforcing_preflight.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "kernel/sysctl.h"
#include "report/event_line.h"

#define LISTED_MOST 256
#define RECENT_NS   (86400 * NS_PER_S)

struct preflight {
	const struct program_policy *policy;
	struct finding *running;
	size_t running_count;
	size_t running_left_out;
	struct recent_finding *recent;
	size_t recent_count;
	size_t recent_left_out;
	uint64_t since_ns;
};

static void take_running(void *context, const struct finding *finding)
{
	struct preflight *preflight = context;

	if (preflight->running_count < LISTED_MOST)
		preflight->running[preflight->running_count++] = *finding;
	else
		preflight->running_left_out++;
}

static const char *text_of(const json_t *event, const char *key)
{
	const char *text = json_string_value(json_object_get(event, key));

	return text ? text : "";
}

static void count_recent(struct preflight *preflight, const char *what, const char *kind)
{
	struct recent_finding *recent = preflight->recent;

	for (size_t i = 0; i < preflight->recent_count; i++)
		if (strcmp(recent[i].what, what) == 0 && strcmp(recent[i].kind, kind) == 0) {
			recent[i].count++;
			return;
		}
	if (preflight->recent_count == LISTED_MOST) {
		preflight->recent_left_out++;
		return;
	}
	recent += preflight->recent_count++;
	(void)snprintf(recent->what, sizeof(recent->what), "%s", what);
	(void)snprintf(recent->kind, sizeof(recent->kind), "%s", kind);
	recent->count = 1;
}

/* Content that was unknown then may be in this profile. */
static bool is_known_now(const struct preflight *preflight, const json_t *event)
{
	uint8_t sha256[32];

	return hex_decode(text_of(event, EVENT_KEY_SHA256), sha256, sizeof(sha256)) == 0 &&
	       !(program_policy_find(preflight->policy, sha256).uses & CONTENT_PINNED) &&
	       program_policy_find(preflight->policy, sha256).uses != 0;
}

static void take_finding(struct preflight *preflight, const json_t *event)
{
	const char *kind = text_of(event, EVENT_KEY_KIND);
	struct finding_flow flow;
	char words[FLOW_TEXT_SIZE];

	if (event_flow_read(event, &flow)) {
		event_flow_text(finding_kind_parse(kind), &flow, words);
		count_recent(preflight, words, kind);
	} else if (!is_known_now(preflight, event)) {
		count_recent(preflight, text_of(event, EVENT_KEY_PATH), kind);
	}
}

static void take_event(void *context, uint64_t id, const char *line)
{
	struct preflight *preflight = context;
	json_t *event = event_parse(line, strlen(line));
	uint64_t time_ns;

	(void)id;
	if (event && strcmp(text_of(event, EVENT_KEY_EVENT), event_kind_name(EVENT_FINDING)) == 0 &&
	    clock_parse(text_of(event, EVENT_KEY_TIME), &time_ns) == 0 &&
	    time_ns >= preflight->since_ns)
		take_finding(preflight, event);
	json_decref(event);
}

/* Whether this host passes packets on: a router, a bridge for containers. */
static bool forwards_packets(void)
{
	static const char *const settings[] = {"net.ipv4.ip_forward",
					       "net.ipv6.conf.all.forwarding"};
	long value;

	for (size_t i = 0; i < array_length(settings); i++)
		if (sysctl_read("", settings[i], &value) == 0 && value != 0)
			return true;
	return false;
}

int enforcing_preflight(struct enforcing *enforcing, struct error *error)
{
	const struct enforcing_config *config = enforcing->config;
	_cleanup_(freep) struct finding *running = calloc(LISTED_MOST, sizeof(*running));
	_cleanup_(freep) struct recent_finding *recent = calloc(LISTED_MOST, sizeof(*recent));
	struct preflight preflight = {.policy = enforcing->policy->policy,
				      .running = running,
				      .recent = recent,
				      .since_ns = clock_realtime_ns() - RECENT_NS};
	struct enforcing_preview preview;
	char directory[PATH_MAX];
	int result;

	if (!running || !recent)
		return error_set(error, ENOMEM, "out of memory");
	if (!config->without_programs) {
		result = sweeper_preview(enforcing->policy->policy, config->file_size_limit,
					 take_running, &preflight, error);
		if (result < 0)
			return result;
	}
	(void)snprintf(directory, sizeof(directory), "%s/events", config->state);
	(void)event_files_read(directory, take_event, &preflight, NULL); /* none yet is fine */
	preview = (struct enforcing_preview){
		.policy = &enforcing->policy->summary,
		.holds_programs = !config->without_programs,
		.backend = enforcing->backend ? enforcing->backend->name : NULL,
		.refuses_forwarded = enforcing->backend && !config->network.rules.leave_forwarded &&
				     forwards_packets(),
		.running = running,
		.running_count = preflight.running_count,
		.running_left_out = preflight.running_left_out,
		.recent = recent,
		.recent_count = preflight.recent_count,
		.recent_left_out = preflight.recent_left_out,
	};
	if (config->ask(config->context, &preview) != ENFORCING_GO)
		return error_set(error, ECANCELED, "not started");
	return 0;
}
