/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gate/gate_private.h"
#include "privilege/channel.h"

#define PER_SECOND	    50
#define LOOK_UPS_PER_SECOND 20
#define BURST_SECONDS	    2
#define RECENT_LIMIT	    256
#define LOST_SAID_NS	    (60 * NS_PER_S)

/* What makes two findings equal. */
struct recent_key {
	uint8_t kind;
	uint8_t action;
	uint8_t way;
	uint8_t protocol;
	uint8_t icmp_type;
	uint16_t local_port; /* services */
	uint16_t remote_port;
	uint32_t user;
	struct ip_address remote;
	char name[FINDING_NAME_SIZE];
	char program[FINDING_PROGRAM_SIZE];
};

struct recent {
	struct gate *gate;
	struct finding_flow flow;
	uint64_t sent_ns;
	uint32_t repeats; /* since then */
	int32_t pid;
	uint8_t layer;
};

static bool send_finding(struct gate *gate, const struct recent_key *key,
			 const struct recent *recent, uint32_t repeats)
{
	struct gate_word word = {.kind = GATE_FOUND};

	word.finding = (struct finding){
		.time_ns = clock_realtime_ns(),
		.repeats = repeats,
		.pid = recent->pid,
		.user = key->user,
		.kind = key->kind,
		.layer = recent->layer,
		.action = key->action,
		.flow = recent->flow,
	};
	memcpy(word.finding.program, key->program, sizeof(word.finding.program));
	return channel_offer(gate->config->channel, &word, sizeof(word), 1, -1) == 0;
}

/* Nobody will be told of these. */
static void forget(void *value, void *context)
{
	struct recent *recent = value;

	(void)context;
	recent->gate->findings.lost += recent->repeats;
}

int gate_findings_init(struct gate *gate)
{
	gate->findings.tokens = BURST_SECONDS * PER_SECOND;
	gate->findings.look_ups = BURST_SECONDS * LOOK_UPS_PER_SECOND;
	gate->findings.filled_ns = clock_monotonic_ns();
	return map_new(&gate->findings.recent, RECENT_LIMIT, sizeof(struct recent), forget, NULL);
}

void gate_findings_release(struct gate *gate)
{
	map_free(gate->findings.recent);
}

static uint32_t grown(uint32_t tokens, uint64_t seconds, uint32_t each)
{
	uint64_t sum = tokens + seconds * each;

	return sum > BURST_SECONDS * each ? BURST_SECONDS * each : (uint32_t)sum;
}

static void earn(struct gate_findings *findings, uint64_t now_ns)
{
	uint64_t seconds = (now_ns - findings->filled_ns) / NS_PER_S;

	if (!seconds)
		return;
	findings->filled_ns += seconds * NS_PER_S;
	findings->tokens = grown(findings->tokens, seconds, PER_SECOND);
	findings->look_ups = grown(findings->look_ups, seconds, LOOK_UPS_PER_SECOND);
}

struct name_search {
	char *name;
};

static bool take_name(void *context, const char *name)
{
	struct name_search *search = context;

	(void)snprintf(search->name, FINDING_NAME_SIZE, "%s", name);
	return true;
}

static void describe_flow(struct gate *gate, uint8_t way, const struct observed_flow *flow,
			  struct finding_flow *described)
{
	struct name_search search = {.name = described->name};

	described->way = way;
	described->protocol = flow->protocol;
	described->icmp_type = flow->icmp_type;
	described->local = flow->local;
	described->remote = flow->remote;
	described->local_port = flow->local_port;
	described->remote_port = flow->remote_port;
	if (flow->name[0])
		(void)snprintf(described->name, sizeof(described->name), "%s", flow->name);
	else
		(void)address_names_any(gate->labels, &flow->remote, take_name, &search);
}

static void find_program(struct gate *gate, const struct observed_flow *flow,
			 struct flow_program *program)
{
	if (!gate->findings.look_ups)
		return;
	gate->findings.look_ups--;
	(void)gate->kernel.find_owner(gate->owner, flow, program);
}

void gate_found(struct gate *gate, enum finding_kind kind, enum finding_layer layer,
		enum finding_action action, uint8_t way, const struct observed_flow *flow,
		const struct flow_program *program)
{
	struct gate_findings *findings = &gate->findings;
	uint64_t now_ns = clock_monotonic_ns();
	struct flow_program own = {.user = UINT32_MAX};
	struct finding_flow described;
	struct recent_key key;
	struct recent *recent;

	earn(findings, now_ns);
	memset(&described, 0, sizeof(described));
	describe_flow(gate, way, flow, &described);
	if (!program && way == WAY_OUT)
		find_program(gate, flow, &own);
	if (!program)
		program = &own;

	memset(&key, 0, sizeof(key)); /* with what lies between its fields */
	key.kind = (uint8_t)kind;
	key.action = (uint8_t)action;
	key.way = way;
	key.protocol = flow->protocol;
	key.icmp_type = flow->icmp_type;
	key.local_port = way == WAY_OUT ? 0 : flow->local_port;
	/* where others come from is chance */
	key.remote_port = way == WAY_IN ? 0 : flow->remote_port;
	key.user = program->user;
	key.remote = flow->remote;
	memcpy(key.name, described.name, sizeof(key.name));
	if (program->program)
		(void)snprintf(key.program, sizeof(key.program), "%s", program->program);

	recent = map_add(findings->recent, &key, sizeof(key));
	if (!recent) {
		findings->lost++;
	} else if (recent->gate) {
		recent->repeats++;
	} else {
		*recent = (struct recent){
			.gate = gate,
			.flow = described,
			.sent_ns = now_ns,
			.pid = program->pid,
			.layer = (uint8_t)layer,
		};
		if (findings->tokens && send_finding(gate, &key, recent, 0))
			findings->tokens--;
		else
			recent->repeats = 1;
	}
	flow_program_clear(&own);
}

static void say_lost(struct gate *gate, uint64_t now_ns)
{
	struct gate_findings *findings = &gate->findings;

	if (!findings->lost ||
	    (findings->lost_said_ns && now_ns - findings->lost_said_ns < LOST_SAID_NS))
		return;
	gate_say(gate, "%llu findings of the network were not told one by one: too many",
		 (unsigned long long)findings->lost);
	findings->lost = 0;
	findings->lost_said_ns = now_ns;
}

void gate_findings_tick(struct gate *gate, uint64_t now_ns)
{
	struct gate_findings *findings = &gate->findings;
	struct recent *recent = map_next(findings->recent, NULL);

	earn(findings, now_ns);
	while (recent) {
		struct recent *next = map_next(findings->recent, recent);
		size_t size;

		if (now_ns - recent->sent_ns < GATE_REPEAT_NS) {
			recent = next;
			continue;
		}
		if (!recent->repeats) {
			map_remove_value(findings->recent, recent);
		} else if (findings->tokens && send_finding(gate, map_key(recent, &size), recent,
							    recent->repeats - 1)) {
			findings->tokens--;
			recent->repeats = 0;
			recent->sent_ns = now_ns;
		}
		recent = next;
	}
	say_lost(gate, now_ns);
}
