/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "daemon/learning_write.h"
#include "daemon/recordings.h"

#define PROGRESS_INTERVAL_NS NS_PER_S

struct recorded {
	const struct learning_config *config;
	struct learner *learner;
	const char *file;
	uint64_t started_ns; /* CLOCK_MONOTONIC */
	uint64_t reported_ns;
	uint64_t first_ns; /* of the packets */
	uint64_t last_ns;
	struct observation capture; /* the latest counters */
};

static void report(struct recorded *recorded, const char *notice)
{
	uint64_t now_ns = clock_monotonic_ns();
	struct learning_progress progress = {
		.elapsed_ns = now_ns - recorded->started_ns,
		.recording = recorded->file,
		.notice = notice,
	};

	recorded->reported_ns = now_ns;
	learner_summarise(recorded->learner, &progress.summary);
	recorded->config->progress(recorded->config->context, &progress);
}

static void on_observation(void *context, const struct observation *observation)
{
	struct recorded *recorded = context;

	if (observation->kind == OBSERVATION_CAPTURE) {
		recorded->capture = *observation; /* its time is not a packet's */
	} else {
		if (!recorded->first_ns || observation->time_ns < recorded->first_ns)
			recorded->first_ns = observation->time_ns;
		if (observation->time_ns > recorded->last_ns)
			recorded->last_ns = observation->time_ns;
	}
	learner_observe(recorded->learner, observation);
	if (clock_monotonic_ns() - recorded->reported_ns >= PROGRESS_INTERVAL_NS)
		report(recorded, NULL);
}

static void on_file(void *context, const char *path)
{
	struct recorded *recorded = context;

	recorded->file = path;
	learner_begin_sample(recorded->learner);
}

static int describe(const struct learning_config *config, struct profile *profile)
{
	profile->device_mac = config->device.mac;
	return 0;
}

/* What is behind the damage was not seen: a gap, like any other. */
static void mark_damage(struct recorded *recorded)
{
	struct observation capture = recorded->capture;

	capture.kind = OBSERVATION_CAPTURE;
	capture.capture.interrupted = true;
	learner_observe(recorded->learner, &capture);
}

static int append_remedy(const struct learning_config *config, int damage, struct error *error)
{
	size_t length = strlen(error->message);

	(void)snprintf(error->message + length, sizeof(error->message) - length,
		       "; all that could be read is in %s, marked as not complete", config->output);
	return damage;
}

/* All that could be read becomes a profile, also when the recordings are damaged (an error of its
 * own then, which says where the profile is). */
static int finish(struct recorded *recorded, int damage, bool heard,
		  struct learning_result *ret_result, struct error *error)
{
	const struct learning_config *config = recorded->config;
	struct learner_cycle cycle = {0};
	struct learning_result result;
	int code;

	if (damage)
		mark_damage(recorded);
	report(recorded,
	       heard ? NULL : "the device sent nothing in these recordings; is its address right?");
	cycle.started_ns = recorded->first_ns;
	cycle.ended_ns = recorded->last_ns;
	code = learning_write(recorded->learner, &cycle, config, describe, &result,
			      damage ? NULL : error);
	if (code == 0 && damage)
		return append_remedy(config, damage, error);
	if (code == 0)
		*ret_result = result;
	return code;
}

int learning_run_recorded(const struct learning_config *config, struct learning_result *ret_result,
			  struct error *error)
{
	struct recorded recorded = {.config = config, .started_ns = clock_monotonic_ns()};
	struct learner_config learner = {.recorded = true};
	struct recordings recordings = {
		.files = config->recordings,
		.file_count = config->recording_count,
		.device = config->device,
		.deliver = on_observation,
		.begin_file = on_file,
		.context = &recorded,
	};
	bool heard = false;
	int code = file_check_replaceable(config->output, error);

	if (code == 0)
		code = learner_new(&learner, &recorded.learner, error);
	if (code < 0)
		return code;
	recorded.reported_ns = recorded.started_ns;
	code = recordings_read(&recordings, &heard, error);
	if (code == 0 || (code == -EBADMSG && heard))
		code = finish(&recorded, code, heard, ret_result, error);
	learner_free(recorded.learner);
	return code;
}
