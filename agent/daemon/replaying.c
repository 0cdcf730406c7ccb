/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/replaying.h"

#include <errno.h>

#include "enforce/verdict.h"

struct replay {
	const struct replaying_config *config;
	struct verdict *verdict;
	struct replaying_result result;
};

static void on_observation(void *context, const struct observation *observation)
{
	struct replay *replay = context;

	verdict_observe(replay->verdict, observation);
	if (observation->kind != OBSERVATION_CONNECTION || flow_is_stack(&observation->flow))
		return;
	replay->result.starts++;
	if (verdict_permits(replay->verdict, &observation->flow))
		return;
	replay->result.blocked++;
	replay->config->blocked(replay->config->context, observation->time_ns, &observation->flow);
}

int replaying_run(const struct replaying_config *config, struct replaying_result *ret_result,
		  struct error *error)
{
	struct replay replay = {.config = config};
	struct recordings recordings = config->recordings;
	int code;

	if (!recordings.device.is_named && !mac_is_zero(&config->profile->device_mac))
		recordings.device = (struct recorded_device){
			.is_named = true,
			.mac = config->profile->device_mac,
		};
	recordings.deliver = on_observation;
	recordings.context = &replay;
	code = verdict_new(config->profile,
			   verdict_network_of(config->profile, &recordings.device.mac),
			   &replay.verdict);
	if (code < 0)
		return error_set(error, -code, "out of memory");
	code = recordings_read(&recordings, &replay.result.heard, error);
	verdict_free(replay.verdict);
	if (code == 0)
		*ret_result = replay.result;
	return code;
}
