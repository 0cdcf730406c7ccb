/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/enforcing_preflight.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define LISTED_MOST 256
#define RECENT_NS   (86400 * NS_PER_S)

struct preflight {
	struct finding *running;
	size_t count;
	size_t left_out;
	uint64_t since_ns;
	uint64_t recent;
};

static void take_running(void *context, const struct finding *finding)
{
	struct preflight *preflight = context;

	if (preflight->count < LISTED_MOST)
		preflight->running[preflight->count++] = *finding;
	else
		preflight->left_out++;
}

/* A line is a finding of the last day, or stands for repeats of one. */
static void count_recent(void *context, uint64_t id, const char *line)
{
	struct preflight *preflight = context;
	json_t *event = json_loads(line, 0, NULL);
	const char *kind = json_string_value(json_object_get(event, "event"));
	const char *time = json_string_value(json_object_get(event, "time"));
	uint64_t time_ns;

	(void)id;
	if (kind && time && strcmp(kind, event_kind_name(EVENT_FINDING)) == 0 &&
	    clock_parse(time, &time_ns) == 0 && time_ns >= preflight->since_ns)
		preflight->recent++;
	json_decref(event);
}

int enforcing_preflight(struct enforcing *enforcing, struct error *error)
{
	const struct enforcing_config *config = enforcing->config;
	_cleanup_(freep) struct finding *running = calloc(LISTED_MOST, sizeof(*running));
	struct preflight preflight = {.running = running,
				      .since_ns = clock_realtime_ns() - RECENT_NS};
	struct enforcing_preview preview;
	char directory[PATH_MAX];
	int result;

	if (!running)
		return error_set(error, ENOMEM, "out of memory");
	result = sweeper_preview(enforcing->policy->policy, config->file_size_limit, take_running,
				 &preflight, error);
	if (result < 0)
		return result;
	(void)snprintf(directory, sizeof(directory), "%s/events", config->state);
	(void)event_files_read(directory, count_recent, &preflight, NULL);
	preview = (struct enforcing_preview){
		.policy = &enforcing->policy->summary,
		.running = running,
		.running_count = preflight.count,
		.running_left_out = preflight.left_out,
		.recent = preflight.recent,
	};
	if (config->ask(config->context, &preview) != ENFORCING_GO)
		return error_set(error, ECANCELED, "not started");
	return 0;
}
