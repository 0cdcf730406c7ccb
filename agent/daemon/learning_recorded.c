/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/learning.h"
#include "daemon/recordings.h"
#include "profiles/profile_json.h"

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

static int write_profile(struct recorded *recorded, struct learning_result *result,
			 struct error *error)
{
	const struct learning_config *config = recorded->config;
	struct learner_cycle cycle = {
		.started_ns = recorded->first_ns,
		.ended_ns = recorded->last_ns,
	};
	const char *reason;
	struct profile *profile;
	int code = learner_profile(recorded->learner, &cycle, &profile, error);

	if (code < 0)
		return code;
	profile->device_mac = config->device_mac;
	code = profile_save(profile, config->output, error);
	profile_free(profile);
	if (code < 0)
		return code;
	learner_summarise(recorded->learner, &result->summary);
	reason = learner_incomplete_reason(recorded->learner);
	(void)snprintf(result->incomplete_reason, sizeof(result->incomplete_reason), "%s",
		       reason ? reason : "");
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

int learning_run_recorded(const struct learning_config *config, struct learning_result *ret_result,
			  struct error *error)
{
	struct recorded recorded = {.config = config, .started_ns = clock_monotonic_ns()};
	struct learner_config learner = {.recorded = true};
	struct recordings recordings = {
		.files = config->recordings,
		.file_count = config->recording_count,
		.has_device = config->has_device,
		.mac = config->device_mac,
		.address = config->device_address,
		.deliver = on_observation,
		.begin_file = on_file,
		.context = &recorded,
	};
	struct learning_result result = {0};
	bool heard = false;
	int code = learner_new(&learner, &recorded.learner, error);

	if (code < 0)
		return code;
	recorded.reported_ns = recorded.started_ns;
	code = recordings_read(&recordings, &heard, error);
	if (code == 0 || (code == -EBADMSG && heard)) {
		int damage = code;

		if (damage)
			mark_damage(&recorded);
		report(&recorded, heard ? NULL
					: "the device sent nothing in these recordings; is its "
					  "address right?");
		code = write_profile(&recorded, &result, damage ? NULL : error);
		if (damage && code == 0)
			code = append_remedy(config, damage, error);
	}
	learner_free(recorded.learner);
	if (code == 0)
		*ret_result = result;
	return code;
}
