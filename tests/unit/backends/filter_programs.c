/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "filter_scene.h"

static uint16_t add_set(struct rule_program *program, const char *name, enum rule_set_kind kind,
			unsigned int families, bool has_timeouts)
{
	struct rule_set *set = rule_program_add_set(program);

	assert_non_null(set);
	(void)snprintf(set->name, sizeof(set->name), "%s", name);
	set->kind = kind;
	set->families = families;
	set->has_timeouts = has_timeouts;
	return (uint16_t)(program->set_count - 1);
}

static void add_member(struct rule_program *program, uint16_t set, const char *prefix,
		       uint8_t protocol, uint16_t port, uint16_t last_port)
{
	struct rule_member member = {.protocol = protocol, .port = port, .last_port = last_port};
	unsigned int length = 0;

	if (prefix)
		assert_int_equal(ip_parse_prefix(prefix, &member.address, &length), 0);
	member.prefix_length = (uint8_t)length;
	member.timeout_s = program->sets[set].has_timeouts ? 600 : 0;
	assert_int_equal(rule_set_add(&program->sets[set], &member), 0);
}

static uint16_t add_chain(struct rule_program *program, const char *name, enum rule_hook hook,
			  const char *prefix)
{
	struct rule_chain *chain = rule_program_add_chain(program);

	assert_non_null(chain);
	(void)snprintf(chain->name, sizeof(chain->name), "%s", name);
	chain->hook = hook;
	chain->report_prefix = prefix;
	return (uint16_t)(program->chain_count - 1);
}

static struct rule *add_rule(struct rule_program *program, uint16_t chain,
			     enum rule_verdict verdict, const char *comment)
{
	struct rule *rule = rule_chain_add_rule(&program->chains[chain]);

	assert_non_null(rule);
	rule->verdict = verdict;
	(void)snprintf(rule->comment, sizeof(rule->comment), "%s", comment);
	return rule;
}

static void set_protocol(struct rule *rule, uint8_t protocol)
{
	rule->match.has_protocol = true;
	rule->match.protocol = protocol;
}

static void set_remote_ports(struct rule *rule, uint8_t protocol, uint16_t first, uint16_t last)
{
	set_protocol(rule, protocol);
	rule->match.has_remote_ports = true;
	rule->match.remote_ports[0] = first;
	rule->match.remote_ports[1] = last;
}

static void set_local_ports(struct rule *rule, uint8_t protocol, uint16_t first, uint16_t last)
{
	set_protocol(rule, protocol);
	rule->match.has_local_ports = true;
	rule->match.local_ports[0] = first;
	rule->match.local_ports[1] = last;
}

static void set_lookup(struct rule *rule, size_t i, uint16_t set, enum rule_side side, bool absent)
{
	rule->match.lookups[i] = (struct rule_lookup){.set = set, .side = side, .absent = absent};
}

static void add_refusals(struct rule_program *program, uint16_t chain, enum rule_verdict verdict)
{
	struct rule *rule = add_rule(program, chain, RULE_REPORT, "");

	rule->match.rate_per_s = 20;
	rule->match.burst = 40;
	(void)add_rule(program, chain, verdict, "the rest");
}

enum { NAMES, PEERS, LAN, SPECIAL, PORTS, ASKED, ONLY4 };

static void add_sets(struct rule_program *program)
{
	(void)add_set(program, "names", SET_ADDRESS_PORT, RULE_BOTH_FAMILIES, true);
	(void)add_set(program, "peers", SET_ADDRESS, RULE_BOTH_FAMILIES, false);
	(void)add_set(program, "lan", SET_PREFIX, RULE_BOTH_FAMILIES, false);
	(void)add_set(program, "special", SET_PREFIX_PORT, RULE_BOTH_FAMILIES, false);
	(void)add_set(program, "ports", SET_PORT, RULE_BOTH_FAMILIES, false);
	(void)add_set(program, "asked", SET_ADDRESS_PORT, RULE_BOTH_FAMILIES, true);
	(void)add_set(program, "only4", SET_ADDRESS, RULE_IPV4, false);
	add_member(program, NAMES, "192.0.2.1", IPPROTO_TCP, 443, 443);
	add_member(program, NAMES, "2001:db8::1", IPPROTO_UDP, 443, 443);
	add_member(program, PEERS, "192.0.2.9", 0, 0, 0);
	add_member(program, LAN, "10.0.0.0/8", 0, 0, 0);
	add_member(program, LAN, "fe80::/10", 0, 0, 0);
	add_member(program, SPECIAL, "198.51.100.0/24", IPPROTO_TCP, 8443, 8443);
	add_member(program, PORTS, NULL, 0, 1883, 1890);
	add_member(program, ONLY4, "192.0.2.44", 0, 0, 0);
	for (size_t i = 0; i < program->set_count; i++)
		rule_set_sort(&program->sets[i]);
}

static void add_hold(struct rule_program *program, uint16_t out, uint16_t in)
{
	struct rule *rule = add_rule(program, out, RULE_HOLD, "questions");

	set_remote_ports(rule, IPPROTO_UDP, 53, 53);
	rule->queue = RULE_QUEUE_NAMES;
	rule = add_rule(program, out, RULE_HOLD, "first packets");
	rule->match.states = STATE_NEW | STATE_INVALID | STATE_UNTRACKED;
	set_lookup(rule, 0, NAMES, SIDE_REMOTE, false);
	rule->queue = RULE_QUEUE_FLOWS;
	rule->passes_unheard = true;
	rule = add_rule(program, in, RULE_HOLD, "answers");
	set_remote_ports(rule, IPPROTO_TCP, 53, 53);
}

static void add_out(struct rule_program *program, uint16_t out, uint16_t refuse)
{
	struct rule *rule = add_rule(program, out, RULE_PERMIT, "established");

	rule->match.states = STATE_ESTABLISHED | STATE_RELATED;
	rule = add_rule(program, out, RULE_PERMIT, "loopback");
	rule->match.loopback = true;
	rule = add_rule(program, out, RULE_PERMIT, "places");
	rule->match.places = PLACE_LOCAL | PLACE_BROADCAST;
	rule = add_rule(program, out, RULE_PERMIT, "broadcast");
	rule->match.places = PLACE_BROADCAST | PLACE_MULTICAST;
	rule->match.families = RULE_IPV4;
	rule = add_rule(program, out, RULE_PERMIT, "neighbour solicitation");
	rule->match.families = RULE_IPV6;
	set_protocol(rule, IPPROTO_ICMPV6);
	rule->match.has_icmp_type = true;
	rule->match.icmp_type = 135;
	rule->match.link_scope = true;
	rule = add_rule(program, out, RULE_PERMIT, "echo");
	rule->match.families = RULE_IPV4;
	set_protocol(rule, IPPROTO_ICMP);
	rule->match.has_icmp_type = true;
	rule->match.icmp_type = 8;
	rule->match.link_scope = true;
	rule = add_rule(program, out, RULE_PERMIT, "connections[3] mqtt.example: \"x\" it's");
	set_lookup(rule, 0, NAMES, SIDE_REMOTE, false);
	rule->match.has_user = true;
	rule->match.user = 1000;
	rule = add_rule(program, out, RULE_PERMIT, "three");
	set_lookup(rule, 0, PEERS, SIDE_REMOTE, false);
	set_lookup(rule, 1, PORTS, SIDE_LOCAL, false);
	set_lookup(rule, 2, LAN, SIDE_REMOTE, true);
	rule = add_rule(program, out, RULE_PERMIT, "only4");
	set_lookup(rule, 0, ONLY4, SIDE_REMOTE, false);
	rule = add_rule(program, out, RULE_PERMIT, "not only4");
	set_lookup(rule, 0, ONLY4, SIDE_REMOTE, true);
	set_lookup(rule, 1, SPECIAL, SIDE_REMOTE, false);
	rule = add_rule(program, out, RULE_NOTE, "asking");
	set_remote_ports(rule, IPPROTO_UDP, 1900, 1900);
	set_local_ports(rule, IPPROTO_UDP, 1024, 65535);
	rule->set = ASKED;
	rule->side = SIDE_LOCAL;
	rule->seconds = 10;
	set_remote_ports(add_rule(program, out, RULE_PERMIT, ""), IPPROTO_SCTP, 5060, 5061);
	rule = add_rule(program, out, RULE_PERMIT, "lite");
	set_remote_ports(rule, IPPROTO_UDPLITE, 5060, 5061);
	set_local_ports(rule, IPPROTO_UDPLITE, 7, 7);
	set_protocol(add_rule(program, out, RULE_PERMIT, "GRE"), IPPROTO_GRE);
	rule = add_rule(program, out, RULE_JUMP, "");
	rule->chain = refuse;
}

static void add_in(struct rule_program *program, uint16_t in, uint16_t refuse)
{
	struct rule *rule = add_rule(program, in, RULE_PERMIT, "loopback");

	rule->match.loopback = true;
	rule = add_rule(program, in, RULE_PERMIT, "listener 8080");
	set_local_ports(rule, IPPROTO_TCP, 8080, 8080);
	rule->match.opens = true;
	rule->match.rate_per_s = 200;
	rule->match.burst = 400;
	rule->match.rate_per_source = true;
	rule = add_rule(program, in, RULE_NOTE, "asked");
	set_local_ports(rule, IPPROTO_UDP, 161, 161);
	rule->set = ASKED;
	rule->side = SIDE_REMOTE;
	rule->seconds = 10;
	rule = add_rule(program, in, RULE_PERMIT, "SYN");
	set_protocol(rule, IPPROTO_TCP);
	rule->match.opens = true;
	set_lookup(rule, 0, LAN, SIDE_REMOTE, false);
	rule = add_rule(program, in, RULE_REJECT, "tcp only");
	set_local_ports(rule, IPPROTO_TCP, 23, 23);
	rule = add_rule(program, in, RULE_REJECT, "udp only");
	set_local_ports(rule, IPPROTO_UDP, 23, 24);
	rule = add_rule(program, in, RULE_JUMP, "");
	rule->chain = refuse;
}

struct rule_program *filter_scene_program(void)
{
	struct rule_program *program = rule_program_new();
	uint16_t hold_out;
	uint16_t hold_in;
	uint16_t chains[3];
	uint16_t refuse[3];

	assert_non_null(program);
	program->first_queue = 21800;
	program->log_group = 21800;
	add_sets(program);
	hold_out = add_chain(program, "hold-out", HOOK_HOLD_OUT, NULL);
	chains[0] = add_chain(program, "out", HOOK_OUT, NULL);
	hold_in = add_chain(program, "hold-in", HOOK_HOLD_IN, NULL);
	chains[1] = add_chain(program, "in", HOOK_IN, NULL);
	chains[2] = add_chain(program, "forward", HOOK_FORWARD, NULL);
	refuse[0] = add_chain(program, "refuse-out", HOOK_NONE, RULE_PREFIX_OUT);
	refuse[1] = add_chain(program, "refuse-in", HOOK_NONE, RULE_PREFIX_IN);
	refuse[2] = add_chain(program, "refuse-forward", HOOK_NONE, RULE_PREFIX_FORWARD);
	add_hold(program, hold_out, hold_in);
	add_out(program, chains[0], refuse[0]);
	add_in(program, chains[1], refuse[1]);
	add_rule(program, chains[2], RULE_JUMP, "")->chain = refuse[2];
	add_refusals(program, refuse[0], RULE_REJECT);
	add_refusals(program, refuse[1], RULE_DROP);
	add_refusals(program, refuse[2], RULE_PERMIT);
	return program;
}

struct rule_program *filter_scene_small_program(uint16_t port)
{
	struct rule_program *program = rule_program_new();
	struct rule *rule;
	uint16_t out;

	assert_non_null(program);
	program->first_queue = 21800;
	program->log_group = 21800;
	(void)add_set(program, "idle", SET_ADDRESS, RULE_BOTH_FAMILIES, true);
	(void)add_set(program, "open", SET_ADDRESS_PORT, RULE_BOTH_FAMILIES, true);
	out = add_chain(program, "out", HOOK_OUT, NULL);
	rule = add_rule(program, out, RULE_PERMIT, "what is open");
	set_lookup(rule, 0, FILTER_SCENE_OPEN, SIDE_REMOTE, false);
	rule = add_rule(program, out, RULE_DROP, "the port");
	set_remote_ports(rule, IPPROTO_UDP, port, port);
	return program;
}

struct rule_program *filter_scene_counting_program(void)
{
	static const struct {
		const char *name;
		enum rule_hook hook;
		const char *refuse;
		const char *prefix;
		enum rule_verdict verdict;
		uint16_t port;
	} ways[] = {
		{"out", HOOK_OUT, "refuse-out", RULE_PREFIX_OUT, RULE_PERMIT, 9001},
		{"in", HOOK_IN, "refuse-in", RULE_PREFIX_IN, RULE_DROP, 9002},
	};
	struct rule_program *program = rule_program_new();

	assert_non_null(program);
	program->log_group = 21800;
	for (size_t i = 0; i < array_length(ways); i++) {
		uint16_t chain = add_chain(program, ways[i].name, ways[i].hook, NULL);
		uint16_t refuse = add_chain(program, ways[i].refuse, HOOK_NONE, ways[i].prefix);
		struct rule *rule = add_rule(program, chain, RULE_JUMP, "");

		if (ways[i].hook == HOOK_OUT)
			set_remote_ports(rule, IPPROTO_UDP, ways[i].port, ways[i].port);
		else
			set_local_ports(rule, IPPROTO_UDP, ways[i].port, ways[i].port);
		rule->chain = refuse;
		add_refusals(program, refuse, ways[i].verdict);
	}
	return program;
}

struct rule_program *filter_scene_large_program(uint16_t port, size_t members)
{
	struct rule_program *program = filter_scene_small_program(port);

	for (size_t i = 0; i < members; i++) {
		char prefix[IP_TEXT_SIZE];

		(void)snprintf(prefix, sizeof(prefix), "10.%u.%u.%u", (unsigned int)(i >> 16 & 255),
			       (unsigned int)(i >> 8 & 255), (unsigned int)(i & 255));
		add_member(program, FILTER_SCENE_OPEN, prefix, IPPROTO_TCP, 443, 443);
	}
	rule_set_sort(&program->sets[FILTER_SCENE_OPEN]);
	return program;
}

struct rule_program *filter_scene_holding_program(uint16_t port)
{
	struct rule_program *program = filter_scene_small_program(1);
	struct rule *rule;

	rule = add_rule(program, add_chain(program, "hold-out", HOOK_HOLD_OUT, NULL), RULE_HOLD,
			"the port");
	set_remote_ports(rule, IPPROTO_UDP, port, port);
	rule->queue = RULE_QUEUE_FLOWS;
	return program;
}
