/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/render_nftables_rule.h"

#include <netinet/in.h>
#include <string.h>

#include "base/cleanup.h"
#include "rules/render.h"

/* The rule that is being written, for one family or (both bits) for either. */
struct scene {
	const struct rule_program *program;
	const struct rule_chain *chain;
	size_t index;
	const struct rule *rule;
	bool inbound;
	bool queues_are_chains;
	unsigned int family;
	FILE *stream;
};

static const struct {
	uint8_t number;
	bool has_ports; /* "udp dport" */
	const char *name;
} PROTOCOLS[] = {
	{IPPROTO_ICMP, false, "icmp"}, {IPPROTO_IGMP, false, "igmp"},
	{IPPROTO_TCP, true, "tcp"},    {IPPROTO_UDP, true, "udp"},
	{IPPROTO_DCCP, true, "dccp"},  {IPPROTO_ESP, false, "esp"},
	{IPPROTO_AH, false, "ah"},     {IPPROTO_ICMPV6, false, "icmpv6"},
	{IPPROTO_SCTP, true, "sctp"},  {IPPROTO_UDPLITE, true, "udplite"},
};

void nftables_protocol(uint8_t protocol, char text[NFTABLES_PROTOCOL_SIZE])
{
	for (size_t i = 0; i < array_length(PROTOCOLS); i++)
		if (PROTOCOLS[i].number == protocol) {
			(void)snprintf(text, NFTABLES_PROTOCOL_SIZE, "%s", PROTOCOLS[i].name);
			return;
		}
	(void)snprintf(text, NFTABLES_PROTOCOL_SIZE, "%u", protocol);
}

static const char *protocol_with_ports(const struct rule_match *match)
{
	for (size_t i = 0; match->has_protocol && i < array_length(PROTOCOLS); i++)
		if (PROTOCOLS[i].number == match->protocol && PROTOCOLS[i].has_ports)
			return PROTOCOLS[i].name;
	return NULL;
}

void nftables_rate_name(const struct rule_chain *chain, size_t index, char family,
			char name[NFTABLES_RATE_NAME_SIZE])
{
	(void)snprintf(name, NFTABLES_RATE_NAME_SIZE, "rate-%s-%zu-%c", chain->name, index + 1,
		       family);
}

static bool has_addresses(const struct rule_program *program, uint16_t set)
{
	return set != RULE_NONE && program->sets[set].kind != SET_PORT;
}

/* What it looks at is found elsewhere in IPv4 than in IPv6. */
static bool depends_on_family(const struct rule_program *program, const struct rule *rule)
{
	const struct rule_match *match = &rule->match;

	for (size_t i = 0; i < RULE_LOOKUPS; i++)
		if (has_addresses(program, match->lookups[i].set))
			return true;
	return match->link_scope || (match->rate_per_s && match->rate_per_source) ||
	       (rule->verdict == RULE_NOTE && has_addresses(program, rule->set));
}

/* "source" or "destination": where a side of the connection stands in the packet. */
static bool is_source(const struct scene *scene, enum rule_side side)
{
	return (side == SIDE_REMOTE) == scene->inbound;
}

static const char *address_of(const struct scene *scene, enum rule_side side)
{
	if (scene->family == RULE_IPV4)
		return is_source(scene, side) ? "ip saddr" : "ip daddr";
	return is_source(scene, side) ? "ip6 saddr" : "ip6 daddr";
}

static const char *port_of(const struct scene *scene, enum rule_side side)
{
	return is_source(scene, side) ? "sport" : "dport";
}

/* ---- matches ---- */

/* Most matches on addresses bring their family along; it is said where none does. */
static void write_family(const struct scene *scene)
{
	const struct rule_match *match = &scene->rule->match;
	bool implied = match->link_scope || match->has_icmp_type;

	for (size_t i = 0; i < RULE_LOOKUPS; i++) {
		const struct rule_lookup *lookup = &match->lookups[i];

		implied |= has_addresses(scene->program, lookup->set) &&
			   scene->program->sets[lookup->set].families & scene->family;
	}
	if (scene->family != RULE_BOTH_FAMILIES && !implied)
		(void)fprintf(scene->stream, "meta nfproto %s ",
			      scene->family == RULE_IPV4 ? "ipv4" : "ipv6");
}

static void write_range(const struct scene *scene, const char *header, enum rule_side side,
			const uint16_t range[2])
{
	(void)fprintf(scene->stream, "%s %s %u", header, port_of(scene, side), range[0]);
	if (range[1] > range[0])
		(void)fprintf(scene->stream, "-%u", range[1]);
	(void)fputc(' ', scene->stream);
}

/* "udp dport 53" says the protocol too. */
static void write_protocol(const struct scene *scene)
{
	const struct rule_match *match = &scene->rule->match;
	const char *header = protocol_with_ports(match);
	char protocol[NFTABLES_PROTOCOL_SIZE];
	bool implied = match->opens || match->has_icmp_type ||
		       (header && (match->has_local_ports || match->has_remote_ports));

	for (size_t i = 0; i < RULE_LOOKUPS; i++) {
		uint16_t set = match->lookups[i].set;

		implied |= header && set != RULE_NONE && scene->program->sets[set].kind == SET_PORT;
	}
	nftables_protocol(match->protocol, protocol);
	if (match->has_protocol && !implied)
		(void)fprintf(scene->stream, "meta l4proto %s ", protocol);
	if (match->has_local_ports)
		write_range(scene, header ? header : "th", SIDE_LOCAL, match->local_ports);
	if (match->has_remote_ports)
		write_range(scene, header ? header : "th", SIDE_REMOTE, match->remote_ports);
	if (match->opens)
		(void)fputs("tcp flags & (fin | syn | rst | ack) == syn ", scene->stream);
	if (match->has_icmp_type)
		(void)fprintf(scene->stream, "%s type %u ",
			      match->protocol == IPPROTO_ICMPV6 ? "icmpv6" : "icmp",
			      match->icmp_type);
}

struct bit_name {
	unsigned int bit;
	const char *name;
};

static void write_bits(const struct scene *scene, const char *what, unsigned int bits,
		       const struct bit_name *names, size_t count)
{
	const char *before = "{ ";
	bool single = !(bits & (bits - 1));

	if (!bits)
		return;
	(void)fprintf(scene->stream, "%s ", what);
	for (size_t i = 0; i < count; i++) {
		if (!(bits & names[i].bit))
			continue;
		(void)fprintf(scene->stream, "%s%s", single ? "" : before, names[i].name);
		before = ", ";
	}
	(void)fputs(single ? " " : " } ", scene->stream);
}

static void write_state_and_place(const struct scene *scene)
{
	static const struct bit_name states[] = {
		{STATE_INVALID, "invalid"},	{STATE_ESTABLISHED, "established"},
		{STATE_RELATED, "related"},	{STATE_NEW, "new"},
		{STATE_UNTRACKED, "untracked"},
	};
	static const struct bit_name places[] = {
		{PLACE_LOCAL, "local"},
		{PLACE_BROADCAST, "broadcast"},
		{PLACE_MULTICAST, "multicast"},
	};
	const struct rule_match *match = &scene->rule->match;

	write_bits(scene, "ct state", match->states, states, array_length(states));
	write_bits(scene, "fib daddr type", match->places, places, array_length(places));
	if (match->link_scope)
		(void)fputs(scene->family == RULE_IPV4 ? "ip ttl 255 " : "ip6 hoplimit 255 ",
			    scene->stream);
	if (match->has_user)
		(void)fprintf(scene->stream, "meta skuid %u ", match->user);
}

static void write_key(const struct scene *scene, const struct rule_set *set, enum rule_side side)
{
	const char *header = protocol_with_ports(&scene->rule->match);

	switch (set->kind) {
	case SET_ADDRESS:
	case SET_PREFIX:
		(void)fprintf(scene->stream, "%s ", address_of(scene, side));
		break;
	case SET_ADDRESS_PORT:
	case SET_PREFIX_PORT:
		(void)fprintf(scene->stream, "%s . meta l4proto . th %s ", address_of(scene, side),
			      port_of(scene, side));
		break;
	case SET_PORT:
		(void)fprintf(scene->stream, "%s %s ", header ? header : "th",
			      port_of(scene, side));
		break;
	}
}

static void write_lookups(const struct scene *scene)
{
	char name[RENDER_SET_NAME_SIZE];

	for (size_t i = 0; i < RULE_LOOKUPS; i++) {
		const struct rule_lookup *lookup = &scene->rule->match.lookups[i];
		const struct rule_set *set;

		if (lookup->set == RULE_NONE)
			continue;
		set = &scene->program->sets[lookup->set];
		if (set->kind != SET_PORT && !(set->families & scene->family))
			continue; /* absent from a set that this family does not have */
		/* what stands where others have ports is none */
		if (set->kind == SET_PORT && !scene->rule->match.has_protocol)
			(void)fputs("meta l4proto { tcp, udp } ", scene->stream);
		write_key(scene, set, lookup->side);
		render_nftables_set_name(set, scene->family == RULE_IPV4 ? '4' : '6', name);
		(void)fprintf(scene->stream, "%s@%s ", lookup->absent ? "!= " : "", name);
	}
}

#define RATE_LIFE_S                                                                                \
	10 /* a source that was silent so long begins anew; bursts are refilled by then */

/* The last of the matches: what does not come to it does not count. */
static void write_rate(const struct scene *scene)
{
	const struct rule_match *match = &scene->rule->match;
	char name[NFTABLES_RATE_NAME_SIZE];

	if (!match->rate_per_s)
		return;
	if (match->rate_per_source) {
		nftables_rate_name(scene->chain, scene->index,
				   scene->family == RULE_IPV4 ? '4' : '6', name);
		(void)fprintf(scene->stream, "update @%s { %s timeout %ds ", name,
			      address_of(scene, SIDE_REMOTE), RATE_LIFE_S);
	}
	(void)fprintf(scene->stream, "limit rate %u/second ", match->rate_per_s);
	if (match->burst)
		(void)fprintf(scene->stream, "burst %u packets ", match->burst);
	if (match->rate_per_source)
		(void)fputs("} ", scene->stream);
}

/* ---- verdicts ---- */

static void write_hold(const struct scene *scene)
{
	unsigned int number = scene->program->first_queue + scene->rule->queue;
	bool passes = scene->rule->passes_unheard;
	char name[RENDER_SET_NAME_SIZE];

	if (scene->queues_are_chains) {
		render_nftables_queue_chain(number, passes, name);
		(void)fprintf(scene->stream, "jump %s", name);
	} else {
		(void)fprintf(scene->stream, "queue num %u%s", number, passes ? " bypass" : "");
	}
}

#define REPORT_BYTES 256 /* of each reported packet: its headers */

static void write_verdict(const struct scene *scene)
{
	const struct rule *rule = scene->rule;
	const struct rule_program *program = scene->program;
	char name[RENDER_SET_NAME_SIZE];

	if (render_is_refusal(scene->chain, rule))
		(void)fputs("counter ", scene->stream);
	switch (rule->verdict) {
	case RULE_PERMIT:
		(void)fputs("accept", scene->stream);
		break;
	case RULE_REJECT:
		(void)fputs(rule->match.has_protocol && rule->match.protocol == IPPROTO_TCP
				    ? "reject with tcp reset"
				    : "reject with icmpx type admin-prohibited",
			    scene->stream);
		break;
	case RULE_JUMP:
		(void)fprintf(scene->stream, "jump %s", program->chains[rule->chain].name);
		break;
	case RULE_HOLD:
		write_hold(scene);
		break;
	case RULE_REPORT:
		(void)fprintf(scene->stream, "log prefix \"%s\" group %u snaplen %d",
			      scene->chain->report_prefix ? scene->chain->report_prefix : "",
			      program->log_group, REPORT_BYTES);
		break;
	case RULE_NOTE:
		render_nftables_set_name(&program->sets[rule->set],
					 scene->family == RULE_IPV4 ? '4' : '6', name);
		(void)fprintf(scene->stream, "update @%s { ", name);
		write_key(scene, &program->sets[rule->set], rule->side);
		(void)fprintf(scene->stream, "timeout %us }", rule->seconds);
		break;
	case RULE_DROP:
	default: /* what is not known does not pass */
		(void)fputs("drop", scene->stream);
		break;
	}
}

static void write_line(const struct scene *scene)
{
	const struct rule *rule = scene->rule;

	(void)fputs("\t\t", scene->stream);
	write_family(scene);
	if (rule->match.loopback)
		(void)fprintf(scene->stream, "%s \"lo\" ", scene->inbound ? "iif" : "oif");
	write_protocol(scene);
	write_state_and_place(scene);
	write_lookups(scene);
	write_rate(scene);
	write_verdict(scene);
	if (*rule->comment)
		(void)fprintf(scene->stream, " comment \"%s\"", rule->comment);
	(void)fputc('\n', scene->stream);
}

/* TCP has a refusal of its own: what leaves the protocol open becomes two lines. */
static void write_one(const struct scene *scene)
{
	struct rule reset = *scene->rule;
	struct scene tcp = *scene;

	if (reset.verdict == RULE_REJECT && !reset.match.has_protocol) {
		reset.match.has_protocol = true;
		reset.match.protocol = IPPROTO_TCP;
		tcp.rule = &reset;
		write_line(&tcp);
	}
	write_line(scene);
}

void nftables_write_rule(const struct rule_program *program, uint16_t chain, size_t index,
			 bool queues_are_chains, FILE *stream)
{
	const struct rule *rule = &program->chains[chain].rules[index];
	unsigned int families = render_rule_families(program, rule);
	struct scene scene = {
		.program = program,
		.chain = &program->chains[chain],
		.index = index,
		.rule = rule,
		.inbound = render_chain_is_inbound(program, chain),
		.queues_are_chains = queues_are_chains,
		.stream = stream,
	};

	if (families != RULE_BOTH_FAMILIES || !depends_on_family(program, rule)) {
		scene.family = families;
		if (families)
			write_one(&scene);
		return;
	}
	for (unsigned int family = RULE_IPV4; family <= RULE_IPV6; family <<= 1) {
		scene.family = family;
		write_one(&scene);
	}
}
