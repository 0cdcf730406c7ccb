/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/replaying.h"

#include <errno.h>

#include "daemon/rules_replay.h"
#include "enforce/verdict.h"

struct replay {
	const struct replaying_config *config;
	struct verdict *verdict;    /* by the entries */
	struct rules_replay *rules; /* by the rules; else NULL */
	struct replaying_result result;
};

static bool permits(struct replay *replay, const struct observed_flow *flow)
{
	return replay->rules ? rules_replay_permits(replay->rules, flow)
			     : verdict_permits(replay->verdict, flow);
}

static void on_observation(void *context, const struct observation *observation)
{
	struct replay *replay = context;

	if (replay->rules)
		rules_replay_observe(replay->rules, observation);
	else
		verdict_observe(replay->verdict, observation);
	if (observation->kind != OBSERVATION_CONNECTION || flow_is_stack(&observation->flow))
		return;
	replay->result.starts++;
	if (permits(replay, &observation->flow))
		return;
	replay->result.blocked++;
	replay->config->blocked(replay->config->context, observation->time_ns, &observation->flow);
}

static int begin(struct replay *replay, const struct mac_address *device, struct error *error)
{
	const struct profile *profile = replay->config->profile;
	const struct profile_network *network = verdict_network_of(profile, device);

	if (replay->config->rules && network != &profile->network)
		return error_set(
			error, EOPNOTSUPP,
			"rules are compiled for the host of a profile, not for the devices "
			"that it bridges; without --rules the entries of this one judge");
	if (replay->config->rules)
		return rules_replay_new(profile, replay->config->rules, &replay->rules, error);
	if (verdict_new(profile, network, &replay->verdict) < 0)
		return error_set(error, ENOMEM, "out of memory");
	return 0;
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
	code = begin(&replay, &recordings.device.mac, error);
	if (code == 0)
		code = recordings_read(&recordings, &replay.result.heard, error);
	verdict_free(replay.verdict);
	rules_replay_free(replay.rules);
	if (code == 0)
		*ret_result = replay.result;
	return code;
}
