/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "example_program.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE 21800
#define GROUP 21801

struct rule_member example_member(const char *prefix, uint8_t protocol, uint16_t port)
{
	struct rule_member member = {.protocol = protocol, .port = port, .last_port = port};
	unsigned int length;

	if (ip_parse_prefix(prefix, &member.address, &length) < 0)
		abort();
	member.prefix_length = (uint8_t)length;
	return member;
}

static void *checked(void *item)
{
	if (!item)
		abort();
	return item;
}

static uint16_t add_set(struct rule_program *program, const char *name, enum rule_set_kind kind,
			bool has_timeouts)
{
	struct rule_set *set = checked(rule_program_add_set(program));

	(void)snprintf(set->name, sizeof(set->name), "%s", name);
	set->kind = kind;
	set->families = RULE_BOTH_FAMILIES;
	set->has_timeouts = has_timeouts;
	return (uint16_t)(program->set_count - 1);
}

static void put(struct rule_program *program, uint16_t set, const char *prefix, uint8_t protocol,
		uint16_t port, uint32_t timeout_s)
{
	struct rule_member member = example_member(prefix, protocol, port);

	member.timeout_s = timeout_s;
	if (rule_set_add(&program->sets[set], &member) < 0)
		abort();
}

static void put_ports(struct rule_program *program, uint16_t set, uint16_t first, uint16_t last)
{
	struct rule_member member = {.port = first, .last_port = last};

	if (rule_set_add(&program->sets[set], &member) < 0)
		abort();
}

static uint16_t add_chain(struct rule_program *program, const char *name, enum rule_hook hook,
			  const char *report_prefix)
{
	struct rule_chain *chain = checked(rule_program_add_chain(program));

	(void)snprintf(chain->name, sizeof(chain->name), "%s", name);
	chain->hook = hook;
	chain->report_prefix = report_prefix;
	return (uint16_t)(program->chain_count - 1);
}

static struct rule *add(struct rule_program *program, uint16_t chain, enum rule_verdict verdict,
			const char *comment)
{
	struct rule *rule = checked(rule_chain_add_rule(&program->chains[chain]));

	rule->verdict = verdict;
	(void)snprintf(rule->comment, sizeof(rule->comment), "%s", comment);
	return rule;
}

static struct rule *of_protocol(struct rule *rule, uint8_t protocol)
{
	rule->match.has_protocol = true;
	rule->match.protocol = protocol;
	return rule;
}

static struct rule *to_port(struct rule *rule, uint16_t first, uint16_t last)
{
	rule->match.has_remote_ports = true;
	rule->match.remote_ports[0] = first;
	rule->match.remote_ports[1] = last;
	return rule;
}

static struct rule *from_port(struct rule *rule, uint16_t first, uint16_t last)
{
	rule->match.has_local_ports = true;
	rule->match.local_ports[0] = first;
	rule->match.local_ports[1] = last;
	return rule;
}

static struct rule *in_set(struct rule *rule, uint16_t set, enum rule_side side, bool absent)
{
	size_t i = 0;

	while (rule->match.lookups[i].set != RULE_NONE)
		i++;
	rule->match.lookups[i] = (struct rule_lookup){set, (uint8_t)side, absent};
	return rule;
}

static void refusals(struct rule_program *program, uint16_t chain, enum rule_verdict verdict)
{
	struct rule *report = add(program, chain, RULE_REPORT, "told of, not too often");

	report->match.rate_per_s = 10;
	report->match.burst = 20;
	(void)add(program, chain, verdict, "what no entry permits");
}

struct rule_program *example_program(bool hold)
{
	struct rule_program *program = checked(rule_program_new());
	uint16_t names, peers, resolvers, nets, asked, asking, listen, bound;
	uint16_t out, in, forward, refuse_out, refuse_in, refuse_forward;
	struct rule *rule;

	program->first_queue = QUEUE;
	program->log_group = GROUP;
	names = add_set(program, "names", SET_ADDRESS_PORT, true);
	put(program, names, "192.0.2.1", IPPROTO_TCP, 443, 60);
	put(program, names, "2001:db8::1", IPPROTO_TCP, 443, 60);
	peers = add_set(program, "peers", SET_PREFIX_PORT, false);
	put(program, peers, "198.51.100.0/24", IPPROTO_UDP, 123, 0);
	put(program, peers, "2001:db8:1::/48", IPPROTO_SCTP, 5000, 0);
	resolvers = add_set(program, "resolvers", SET_ADDRESS, false);
	put(program, resolvers, "192.0.2.53", 0, 0, 0);
	put(program, resolvers, "2001:db8::53", 0, 0, 0);
	nets = add_set(program, "lan", SET_PREFIX, false);
	put(program, nets, "10.0.0.0/8", 0, 0, 0);
	put(program, nets, "203.0.113.7", 0, 0, 0);
	put(program, nets, "fe80::/10", 0, 0, 0);
	asked = add_set(program, "asked", SET_ADDRESS_PORT, true);
	asking = add_set(program, "asking", SET_PORT, true);
	listen = add_set(program, "listen-tcp", SET_PORT, false);
	put_ports(program, listen, 22, 22);
	put_ports(program, listen, 8000, 8010);
	bound = add_set(program, "old", SET_ADDRESS, false);
	program->sets[bound].families = RULE_IPV4;
	put(program, bound, "192.0.2.9", 0, 0, 0);
	for (size_t i = 0; i < program->set_count; i++)
		rule_set_sort(&program->sets[i]);

	if (hold) {
		uint16_t hold_out = add_chain(program, "hold-out", HOOK_HOLD_OUT, NULL);
		uint16_t hold_in = add_chain(program, "hold-in", HOOK_HOLD_IN, NULL);

		rule = add(program, hold_out, RULE_HOLD, "questions");
		to_port(of_protocol(rule, IPPROTO_UDP), 53, 53);
		rule = add(program, hold_out, RULE_HOLD, "first packets");
		rule->match.states = STATE_NEW | STATE_INVALID | STATE_UNTRACKED;
		rule->queue = RULE_QUEUE_FLOWS;
		rule->passes_unheard = true;
		in_set(rule, names, SIDE_REMOTE, false);
		rule = add(program, hold_in, RULE_HOLD, "answers");
		to_port(of_protocol(rule, IPPROTO_UDP), 53, 53);
	}
	out = add_chain(program, "out", HOOK_OUT, NULL);
	in = add_chain(program, "in", HOOK_IN, NULL);
	forward = add_chain(program, "forward", HOOK_FORWARD, NULL);
	refuse_out = add_chain(program, "refuse-out", HOOK_NONE, RULE_PREFIX_OUT);
	refuse_in = add_chain(program, "refuse-in", HOOK_NONE, RULE_PREFIX_IN);
	refuse_forward = add_chain(program, "refuse-forward", HOOK_NONE, RULE_PREFIX_FORWARD);

	rule = add(program, out, RULE_PERMIT, "connections that were permitted");
	rule->match.states = STATE_ESTABLISHED;
	rule = add(program, out, RULE_PERMIT, "errors of theirs");
	of_protocol(rule, IPPROTO_ICMP)->match.states = STATE_RELATED;
	rule = add(program, out, RULE_PERMIT, "loopback");
	rule->match.loopback = true;
	rule = add(program, out, RULE_PERMIT, "this host's own");
	rule->match.places = PLACE_LOCAL;
	rule = add(program, out, RULE_PERMIT, "");
	of_protocol(rule, IPPROTO_IGMP)->match.places = PLACE_MULTICAST | PLACE_BROADCAST;
	rule = add(program, out, RULE_PERMIT, "neighbour's question");
	of_protocol(rule, IPPROTO_ICMPV6)->match.link_scope = true;
	rule->match.has_icmp_type = true;
	rule->match.icmp_type = 135;
	rule = add(program, out, RULE_PERMIT, "ping");
	of_protocol(rule, IPPROTO_ICMP)->match.has_icmp_type = true;
	rule->match.icmp_type = 8;
	rule = add(program, out, RULE_NOTE, "who asks");
	from_port(of_protocol(rule, IPPROTO_UDP), 1024, 65535)->match.places = PLACE_MULTICAST;
	rule->set = asking;
	rule->side = SIDE_LOCAL;
	rule->seconds = 10;
	in_set(add(program, out, RULE_PERMIT, "names"), names, SIDE_REMOTE, false);
	in_set(add(program, out, RULE_PERMIT, "peers"), peers, SIDE_REMOTE, false);
	rule = in_set(add(program, out, RULE_PERMIT, "tcp 853 resolver"), resolvers, SIDE_REMOTE,
		      false);
	to_port(of_protocol(rule, IPPROTO_TCP), 853, 853)->match.opens = true;
	rule = in_set(add(program, out, RULE_PERMIT, "answers to the LAN"), nets, SIDE_REMOTE,
		      false);
	in_set(of_protocol(rule, IPPROTO_UDP), listen, SIDE_LOCAL, false);
	rule = in_set(add(program, out, RULE_PERMIT, "the old server's user"), bound, SIDE_REMOTE,
		      true);
	from_port(to_port(of_protocol(rule, IPPROTO_UDPLITE), 5000, 5001), 6000, 6000);
	rule->match.has_user = true;
	rule->match.user = 1000;
	in_set(add(program, out, RULE_PERMIT, "asked"), asked, SIDE_REMOTE, false);
	add(program, out, RULE_JUMP, "")->chain = refuse_out;

	rule = add(program, in, RULE_DROP, "neighbours only");
	rule->match.families = RULE_IPV6;
	rule->match.has_protocol = true;
	rule->match.protocol = IPPROTO_DCCP;
	rule = in_set(add(program, in, RULE_PERMIT, "tcp 22, 8000-8010"), listen, SIDE_LOCAL,
		      false);
	of_protocol(rule, IPPROTO_TCP)->match.rate_per_s = 200;
	rule->match.burst = 400;
	rule->match.rate_per_source = true;
	rule = add(program, in, RULE_NOTE, "who asked");
	from_port(of_protocol(rule, IPPROTO_UDP), 5353, 5353);
	rule->set = asked;
	rule->side = SIDE_REMOTE;
	rule->seconds = 10;
	rule = in_set(add(program, in, RULE_PERMIT, "answers to who asks"), asking, SIDE_LOCAL,
		      false);
	in_set(of_protocol(rule, IPPROTO_UDP), nets, SIDE_REMOTE, false);
	add(program, in, RULE_JUMP, "")->chain = refuse_in;
	add(program, forward, RULE_JUMP, "")->chain = refuse_forward;

	refusals(program, refuse_out, RULE_REJECT);
	refusals(program, refuse_in, RULE_DROP);
	refusals(program, refuse_forward, RULE_PERMIT);
	return program;
}
