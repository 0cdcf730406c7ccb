/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "gate/connection_table.h"
#include "gate/gate_private.h"
#include "gate/host_connections.h"
#include "profiles/profile.h"
#include "rules/judge.h"

/* Connections are asked for twice: first for those whose programs have to be found, which is one
 * pass for all of them. More than this are left to the packets that follow. */
#define HELD_LIMIT 4096

struct pruning {
	struct gate *gate;
	struct rule_judge *judge;
	uint64_t now_ns;
	bool collects; /* the first time */
	struct observed_flow *flows;
	size_t flow_count;
	size_t flow_capacity;
	struct flow_program *programs;
	size_t next;
	struct tracked_connection *held; /* by sockets of this host */
	size_t held_count;
};

static bool is_own(const struct gate *gate, const struct ip_address *address)
{
	return ip_scope(address) == ADDRESS_LOOPBACK ||
	       (gate->surroundings && surroundings_is_own(gate->surroundings, address));
}

static struct rule_packet first_packet(const struct tracked_connection *connection, bool is_out,
				       bool is_in)
{
	struct rule_packet packet = {
		.hook = is_out ? HOOK_OUT : (is_in ? HOOK_IN : HOOK_FORWARD),
		.local = is_in && !is_out ? connection->destination : connection->source,
		.remote = is_in && !is_out ? connection->source : connection->destination,
		.protocol = connection->protocol,
		.icmp_type = connection->icmp_type,
		.local_port =
			is_in && !is_out ? connection->destination_port : connection->source_port,
		.remote_port =
			is_in && !is_out ? connection->source_port : connection->destination_port,
		.hop_limit = 64,
		.opens = connection->protocol == IPPROTO_TCP,
		.state = STATE_NEW,
	};

	if (ip_scope(&connection->destination) == ADDRESS_MULTICAST)
		packet.places = PLACE_MULTICAST;
	else if (ip_scope(&connection->destination) == ADDRESS_BROADCAST)
		packet.places = PLACE_BROADCAST;
	else if (is_in)
		packet.places = PLACE_LOCAL;
	return packet;
}

static struct observed_flow as_flow(const struct rule_packet *packet)
{
	return (struct observed_flow){
		.local = packet->local,
		.remote = packet->remote,
		.protocol = packet->protocol,
		.icmp_type = packet->icmp_type,
		.local_port = packet->local_port,
		.remote_port = packet->remote_port,
	};
}

static void collect(struct pruning *pruning, const struct observed_flow *flow)
{
	if (pruning->flow_count < HELD_LIMIT &&
	    array_reserve(&pruning->flows, &pruning->flow_capacity, pruning->flow_count,
			  sizeof(*pruning->flows)) == 0)
		pruning->flows[pruning->flow_count++] = *flow;
}

static bool is_same(const struct observed_flow *a, const struct observed_flow *b)
{
	return a->protocol == b->protocol && a->local_port == b->local_port &&
	       a->remote_port == b->remote_port && ip_equal(&a->local, &b->local) &&
	       ip_equal(&a->remote, &b->remote);
}

/* The table is told in the same order both times, but for what came and went in between. */
static const struct flow_program *program_of(struct pruning *pruning,
					     const struct observed_flow *flow)
{
	for (size_t i = 0; i < pruning->flow_count; i++) {
		size_t place = (pruning->next + i) % pruning->flow_count;

		if (is_same(&pruning->flows[place], flow)) {
			pruning->next = place + 1;
			return &pruning->programs[place];
		}
	}
	return NULL;
}

/* Whose program cannot be found is ended too: nobody holds its socket any more, or several
 * programs do, and its next packet is looked at like a first one. */
static bool may_stay(struct pruning *pruning, const struct observed_flow *flow)
{
	const struct flow_program *program = program_of(pruning, flow);
	struct gate *gate = pruning->gate;

	return program &&
	       verdict_permits_program(gate->verdict, flow, program->program) == VERDICT_PERMITTED;
}

static bool keep(void *context, const struct tracked_connection *connection)
{
	struct pruning *pruning = context;
	bool is_out = is_own(pruning->gate, &connection->source);
	bool is_in = is_own(pruning->gate, &connection->destination);
	struct rule_packet packet;
	struct rule_outcome outcome;
	struct observed_flow flow;

	if ((is_out && is_in) || ip_scope(&connection->destination) == ADDRESS_LOOPBACK)
		return true;
	packet = first_packet(connection, is_out, is_in);
	flow = as_flow(&packet);
	outcome = rule_judge_packet(pruning->judge, &packet, pruning->now_ns);
	if (outcome.verdict != RULE_PERMIT)
		return pruning->collects;
	if (!is_out || !outcome.held_by || outcome.held_by->queue != RULE_QUEUE_FLOWS ||
	    pruning->gate->options.binding == BIND_NONE)
		return true;
	if (pruning->collects) {
		collect(pruning, &flow);
		return true;
	}
	return may_stay(pruning, &flow);
}

static int find_programs(struct pruning *pruning)
{
	if (!pruning->flow_count)
		return 0;
	pruning->programs = calloc(pruning->flow_count, sizeof(*pruning->programs));
	if (!pruning->programs)
		return -ENOMEM;
	return flow_owner_find_all(pruning->gate->owner, pruning->flows, pruning->flow_count,
				   pruning->programs);
}

static void pruning_clear(struct pruning *pruning)
{
	for (size_t i = 0; pruning->programs && i < pruning->flow_count; i++)
		flow_program_clear(&pruning->programs[i]);
	free(pruning->programs);
	free(pruning->flows);
	free(pruning->held);
	rule_judge_free(pruning->judge);
}

static int collect_all(struct pruning *pruning, struct error *error)
{
	int result = connection_table_prune(keep, pruning, error);

	if (result < 0)
		return result;
	for (size_t i = 0; i < pruning->held_count; i++)
		(void)keep(pruning, &pruning->held[i]);
	result = find_programs(pruning);
	if (result < 0)
		return error_set(error, -result, "out of memory");
	pruning->collects = false;
	return 0;
}

/* The kernel tracks connections only where rules want it: of those that are older it would take
 * whoever speaks first for the one that opened them. */
static int add_held(struct pruning *pruning, struct error *error)
{
	size_t kept = 0;

	for (size_t i = 0; i < pruning->held_count; i++) {
		const struct tracked_connection *connection = &pruning->held[i];

		if (is_own(pruning->gate, &connection->source) &&
		    is_own(pruning->gate, &connection->destination))
			continue;
		if (keep(pruning, connection))
			pruning->held[kept++] = *connection;
	}
	return connection_table_add(pruning->held, kept, error);
}

int gate_prune(struct gate *gate, struct error *error)
{
	_cleanup_(pruning_clear) struct pruning pruning = {
		.gate = gate,
		.now_ns = clock_boottime_ns(),
		.collects = gate->options.binding != BIND_NONE,
	};
	int listed, result;

	if (!gate->kernel.prunes)
		return 0;
	result = rule_judge_new(gate->program, &pruning.judge);
	if (result < 0)
		return error_set(error, -result, "out of memory");
	listed = host_connections_list(&pruning.held, &pruning.held_count);
	if (pruning.collects)
		result = collect_all(&pruning, error);
	if (result == 0)
		result = connection_table_prune(keep, &pruning, error);
	if (result < 0)
		return result;
	if (listed < 0)
		return error_set(error, -listed, "the sockets of this host cannot be listed: %s",
				 strerror(-listed));
	return add_held(&pruning, error);
}
