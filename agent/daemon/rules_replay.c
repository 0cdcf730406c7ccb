/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/rules_replay.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/map.h"
#include "gate/name_addresses.h"
#include "rules/judge.h"

#define FLOWS_LIMIT 16384 /* between a flow's first packet and the settling of its name */
#define ASKED_S	    10	  /* as the rules note who asked a listener by UDP */
#define LINK_HOPS   255	  /* RFC 4861 section 11.2 */

struct rules_replay {
	const struct profile *profile;
	struct rule_program *program;
	struct rule_judge *judge;
	struct name_addresses *names;
	struct map *flows; /* id → bool: permitted */
	bool began;
};

/* An address of a name, on its way into the sets. */
struct arrival {
	struct rules_replay *replay;
	uint64_t now_ns;
	uint32_t seconds;
};

static void add_member(void *context, uint16_t set, const struct rule_member *member)
{
	const struct arrival *arrival = context;
	struct rule_member timed = *member;

	timed.timeout_s = arrival->seconds;
	/* one that memory was short for permits nothing: that fails closed */
	(void)rule_judge_add(arrival->replay->judge, set, &timed, arrival->now_ns);
}

static void add_name(struct arrival *arrival, const char *name, const struct ip_address *address)
{
	rule_program_members(arrival->replay->program, name, address, add_member, arrival);
}

static void on_remembered(void *context, const char *name, const struct ip_address *address,
			  uint32_t left_s)
{
	struct arrival *arrival = context;

	arrival->seconds = left_s;
	add_name(arrival, name, address);
}

static void take_name(struct rules_replay *replay, const struct observed_name *name,
		      uint64_t now_ns)
{
	struct arrival arrival = {.replay = replay, .now_ns = now_ns};
	int seconds;

	if (!name->address.family || !rule_program_permits_name(replay->program, name->name))
		return;
	seconds = name_addresses_answered(replay->names, name->name, &name->address, name->ttl_s,
					  now_ns);
	if (seconds < 0)
		return;
	arrival.seconds = (uint32_t)seconds;
	add_name(&arrival, name->name, &name->address);
}

static void add_to_set(struct rules_replay *replay, const char *set, struct rule_member member,
		       uint64_t now_ns)
{
	uint16_t found = rule_program_find_set(replay->program, set);

	member.prefix_length = member.address.family == 4 ? 32 : 128;
	if (found != RULE_NONE)
		(void)rule_judge_add(replay->judge, found, &member, now_ns);
}

static void take_role(struct rules_replay *replay, const struct observed_role *role,
		      uint64_t now_ns)
{
	const struct rule_member member = {.address = role->address};

	if (role->role == PEER_ROLE_RESOLVER && role->announced)
		add_to_set(replay, RULES_SET_RESOLVERS, member, now_ns);
	else if (role->role == PEER_ROLE_GATEWAY)
		add_to_set(replay, RULES_SET_GATEWAYS, member, now_ns);
}

static bool listens_on(const struct profile_network *network, uint16_t port)
{
	for (size_t i = 0; i < network->listener_count; i++)
		if (network->listeners[i].protocol == IPPROTO_UDP &&
		    network->listeners[i].port == port)
			return true;
	return false;
}

/* The datagram that a listener answers with this flow was no flow of the device's own. */
static void take_asker(struct rules_replay *replay, const struct observed_flow *flow,
		       uint64_t now_ns)
{
	const struct rule_member asker = {
		.address = flow->remote,
		.protocol = IPPROTO_UDP,
		.port = flow->remote_port,
		.last_port = flow->remote_port,
		.timeout_s = ASKED_S,
	};

	if (flow->asked_port && listens_on(&replay->profile->network, flow->asked_port))
		add_to_set(replay, "asked", asker, now_ns);
}

static struct rule_packet first_packet(const struct observed_flow *flow)
{
	enum address_scope scope = ip_scope(&flow->remote);
	struct rule_packet packet = {
		.hook = HOOK_OUT,
		.local = flow->local,
		.remote = flow->remote,
		.protocol = flow->protocol,
		.icmp_type = flow->icmp_type,
		.local_port = flow->local_port,
		.remote_port = flow->remote_port,
		.hop_limit = LINK_HOPS,
		.opens = flow->protocol == IPPROTO_TCP,
		.state = STATE_NEW,
	};

	if (scope == ADDRESS_MULTICAST)
		packet.places |= PLACE_MULTICAST;
	if (scope == ADDRESS_BROADCAST || flow->link_broadcast)
		packet.places |= PLACE_BROADCAST;
	return packet;
}

static void take_start(struct rules_replay *replay, const struct observed_flow *flow,
		       uint64_t now_ns)
{
	struct rule_packet packet = first_packet(flow);
	struct arrival arrival = {.replay = replay, .now_ns = now_ns};
	bool *permitted;

	(void)name_addresses_tick(replay->names, now_ns, on_remembered, &arrival);
	take_asker(replay, flow, now_ns);
	permitted = map_add(replay->flows, &flow->id, sizeof(flow->id));
	if (permitted)
		*permitted =
			rule_judge_packet(replay->judge, &packet, now_ns).verdict == RULE_PERMIT;
}

/* What the evidence remembers, at the time of the first packet: recordings have their own clock. */
static void begin(struct rules_replay *replay, uint64_t now_ns)
{
	json_t *by_name = json_object_get(replay->profile->evidence, "addresses");
	struct arrival arrival = {.replay = replay, .now_ns = now_ns};
	const char *name;
	json_t *list;

	json_object_foreach(by_name, name, list)
	{
		struct ip_address address;
		json_t *item;
		size_t i;

		json_array_foreach(list, i,
				   item) if (json_is_string(item) &&
					     ip_parse(json_string_value(item), &address) == 0)(void)
			name_addresses_remember(replay->names, name, &address, now_ns);
	}
	name_addresses_each(replay->names, now_ns, on_remembered, &arrival);
	replay->began = true;
}

int rules_replay_new(const struct profile *profile, const struct rules_options *options,
		     struct rules_replay **ret_replay, struct error *error)
{
	const struct name_times times = NAME_TIMES_DEFAULT;
	struct rules_replay *replay = calloc(1, sizeof(*replay));
	int result;

	if (!replay)
		return error_set(error, ENOMEM, "out of memory");
	replay->profile = profile;
	result = rules_compile(profile, options, NULL, &replay->program, error);
	if (result == 0 && (rule_judge_new(replay->program, &replay->judge) < 0 ||
			    name_addresses_new(&times, &replay->names) < 0 ||
			    map_new(&replay->flows, FLOWS_LIMIT, sizeof(bool), NULL, NULL) < 0))
		result = error_set(error, ENOMEM, "out of memory");
	if (result < 0) {
		rules_replay_free(replay);
		return result;
	}
	*ret_replay = replay;
	return 0;
}

void rules_replay_free(struct rules_replay *replay)
{
	if (!replay)
		return;
	map_free(replay->flows);
	name_addresses_free(replay->names);
	rule_judge_free(replay->judge);
	rule_program_free(replay->program);
	free(replay);
}

void rules_replay_observe(struct rules_replay *replay, const struct observation *observation)
{
	if (!replay->began && observation->time_ns)
		begin(replay, observation->time_ns);
	if (observation->kind == OBSERVATION_START)
		take_start(replay, &observation->flow, observation->time_ns);
	else if (observation->kind == OBSERVATION_NAME)
		take_name(replay, &observation->name, observation->time_ns);
	else if (observation->kind == OBSERVATION_ROLE)
		take_role(replay, &observation->role, observation->time_ns);
}

bool rules_replay_permits(struct rules_replay *replay, const struct observed_flow *flow)
{
	const bool *permitted = map_find(replay->flows, &flow->id, sizeof(flow->id));

	return permitted && *permitted;
}
