/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

#define MEMBERS_LIMIT	  (1u << 22) /* of one set: more than any profile has */
#define PREFIX_LENGTHS	  129
#define JUMP_DEPTH	  8 /* our programs have 1 */
#define NANOSECONDS_PER_S UINT64_C(1000000000)
#define LINK_SCOPE_HOPS	  255
#define FOR_EVER	  UINT64_MAX

/* What a member of a set is looked up by: zeroed, then filled in. */
struct member_key {
	struct ip_address address;
	uint8_t prefix_length; /* of sets of prefixes */
	uint8_t protocol;
	uint16_t port;
};

/* Ports are few ranges, and whatever was noted. */
struct set_state {
	struct map
		*members; /* struct member_key → uint64_t, until when; SET_PORT: what was added */
	bool lengths[PREFIX_LENGTHS];
};

struct rule_judge {
	const struct rule_program *program;
	struct set_state *sets;
	bool has_begun; /* the program's own members count from the first moment */
	uint64_t began_ns;
};

static bool has_port(enum rule_set_kind kind)
{
	return kind == SET_ADDRESS_PORT || kind == SET_PREFIX_PORT || kind == SET_PORT;
}

static bool has_prefix(enum rule_set_kind kind)
{
	return kind == SET_PREFIX || kind == SET_PREFIX_PORT;
}

static struct member_key key_of(enum rule_set_kind kind, const struct ip_address *address,
				uint8_t protocol, uint16_t port)
{
	struct member_key key;

	memset(&key, 0, sizeof(key));
	if (kind != SET_PORT)
		key.address = *address;
	if (has_port(kind)) {
		key.port = port;
		key.protocol = kind == SET_PORT ? 0 : protocol;
	}
	return key;
}

static int put(struct rule_judge *judge, uint16_t set, const struct rule_member *member,
	       uint64_t until_ns)
{
	struct set_state *state = &judge->sets[set];
	struct member_key key = key_of(judge->program->sets[set].kind, &member->address,
				       member->protocol, member->port);
	uint64_t *until;

	if (has_prefix(judge->program->sets[set].kind))
		key.prefix_length = member->prefix_length;
	until = map_add(state->members, &key, sizeof(key));

	if (!until)
		return -ENOMEM;
	*until = until_ns;
	if (member->prefix_length < PREFIX_LENGTHS)
		state->lengths[member->prefix_length] = true;
	return 0;
}

/* Own members of sets without timeouts stay for ever, the others as long as they say. */
static uint64_t until(const struct rule_judge *judge, const struct rule_member *member)
{
	return member->timeout_s ? judge->began_ns + member->timeout_s * NANOSECONDS_PER_S
				 : FOR_EVER;
}

static void begin(struct rule_judge *judge, uint64_t now_ns)
{
	const struct rule_program *program = judge->program;

	if (judge->has_begun)
		return;
	judge->has_begun = true;
	judge->began_ns = now_ns;
	for (size_t i = 0; i < program->set_count; i++) {
		const struct rule_set *set = &program->sets[i];

		/* made in rule_judge_new(): nothing can fail any more */
		for (size_t j = 0; set->kind != SET_PORT && j < set->member_count; j++)
			(void)put(judge, (uint16_t)i, &set->members[j],
				  until(judge, &set->members[j]));
	}
}

int rule_judge_new(const struct rule_program *program, struct rule_judge **ret_judge)
{
	struct rule_judge *judge = calloc(1, sizeof(*judge));
	int result = judge ? 0 : -ENOMEM;

	if (judge) {
		judge->program = program;
		judge->sets =
			calloc(program->set_count ? program->set_count : 1, sizeof(*judge->sets));
		if (!judge->sets)
			result = -ENOMEM;
	}
	for (size_t i = 0; i < program->set_count && result == 0; i++) {
		const struct rule_set *set = &program->sets[i];

		result = map_new(&judge->sets[i].members, MEMBERS_LIMIT, sizeof(uint64_t), NULL,
				 NULL);
		for (size_t j = 0; set->kind != SET_PORT && j < set->member_count && result == 0;
		     j++)
			result = put(judge, (uint16_t)i, &set->members[j], FOR_EVER);
	}
	if (result < 0) {
		rule_judge_free(judge);
		return result;
	}
	*ret_judge = judge;
	return 0;
}

void rule_judge_free(struct rule_judge *judge)
{
	if (!judge)
		return;
	for (size_t i = 0; judge->sets && i < judge->program->set_count; i++)
		map_free(judge->sets[i].members);
	free(judge->sets);
	free(judge);
}

int rule_judge_add(struct rule_judge *judge, uint16_t set, const struct rule_member *member,
		   uint64_t now_ns)
{
	uint64_t until_ns =
		member->timeout_s ? now_ns + member->timeout_s * NANOSECONDS_PER_S : FOR_EVER;

	begin(judge, now_ns);
	return put(judge, set, member, until_ns);
}

/* ---- sets ---- */

static bool holds(struct set_state *state, const struct member_key *key, uint64_t now_ns)
{
	const uint64_t *until_ns = map_peek(state->members, key, sizeof(*key));

	return until_ns && now_ns < *until_ns;
}

static bool prefix_holds(struct set_state *state, struct member_key key, uint64_t now_ns)
{
	unsigned int bits = key.address.family == 4 ? 32 : 128;

	for (unsigned int length = bits + 1; length-- > 0;) {
		if (length < bits)
			key.address.bytes[length / 8] &= (uint8_t) ~(0x80 >> length % 8);
		key.prefix_length = (uint8_t)length;
		if (state->lengths[length] && holds(state, &key, now_ns))
			return true;
	}
	return false;
}

static bool port_holds(const struct rule_judge *judge, uint16_t set, uint16_t port, uint64_t now_ns)
{
	const struct rule_set *ports = &judge->program->sets[set];
	struct member_key key = key_of(SET_PORT, NULL, 0, port);

	for (size_t i = 0; i < ports->member_count; i++)
		if (ports->members[i].port <= port && port <= ports->members[i].last_port &&
		    now_ns < until(judge, &ports->members[i]))
			return true;
	return holds(&judge->sets[set], &key, now_ns);
}

static bool is_in_set(const struct rule_judge *judge, const struct rule_lookup *lookup,
		      const struct rule_packet *packet, uint64_t now_ns)
{
	const struct rule_set *set = &judge->program->sets[lookup->set];
	bool remote = lookup->side == SIDE_REMOTE;
	const struct ip_address *address = remote ? &packet->remote : &packet->local;
	uint16_t port = remote ? packet->remote_port : packet->local_port;
	struct member_key key = key_of(set->kind, address, packet->protocol, port);

	if (has_port(set->kind) && !protocol_has_ports(packet->protocol))
		return false;
	if (set->kind == SET_PORT)
		return port_holds(judge, lookup->set, port, now_ns);
	if (!(set->families & (address->family == 4 ? RULE_IPV4 : RULE_IPV6)))
		return false;
	if (has_prefix(set->kind))
		return prefix_holds(&judge->sets[lookup->set], key, now_ns);
	return holds(&judge->sets[lookup->set], &key, now_ns);
}

/* ---- rules ---- */

static bool in_range(const uint16_t range[2], uint16_t port)
{
	return range[0] <= port && port <= range[1];
}

static bool ports_match(const struct rule_match *match, const struct rule_packet *packet)
{
	if (!match->has_remote_ports && !match->has_local_ports)
		return true;
	return protocol_has_ports(packet->protocol) &&
	       (!match->has_remote_ports || in_range(match->remote_ports, packet->remote_port)) &&
	       (!match->has_local_ports || in_range(match->local_ports, packet->local_port));
}

static bool packet_matches(const struct rule_judge *judge, const struct rule_match *match,
			   const struct rule_packet *packet, uint64_t now_ns)
{
	if (!(match->families & (packet->remote.family == 4 ? RULE_IPV4 : RULE_IPV6)) ||
	    (match->loopback && !packet->loopback) ||
	    (match->states && !(match->states & packet->state)) ||
	    (match->places && !(match->places & packet->places)) ||
	    (match->has_protocol && match->protocol != packet->protocol) ||
	    (match->has_icmp_type && match->icmp_type != packet->icmp_type) ||
	    (match->link_scope && packet->hop_limit != LINK_SCOPE_HOPS) ||
	    (match->opens && !packet->opens) ||
	    (match->has_user && !(packet->has_user && match->user == packet->user)) ||
	    !ports_match(match, packet))
		return false;
	for (size_t i = 0; i < RULE_LOOKUPS; i++)
		if (match->lookups[i].set != RULE_NONE &&
		    is_in_set(judge, &match->lookups[i], packet, now_ns) ==
			    match->lookups[i].absent)
			return false;
	return true;
}

/* Memory that is out leaves a note unwritten, as a full set of the kernel's does. */
static void note(struct rule_judge *judge, const struct rule *rule,
		 const struct rule_packet *packet, uint64_t now_ns)
{
	bool remote = rule->side == SIDE_REMOTE;
	struct rule_member member = {
		.address = remote ? packet->remote : packet->local,
		.protocol = packet->protocol,
		.port = remote ? packet->remote_port : packet->local_port,
	};

	member.prefix_length = member.address.family == 4 ? 32 : 128;
	(void)put(judge, rule->set, &member, now_ns + rule->seconds * NANOSECONDS_PER_S);
}

/* Whether the packet's way ends in this chain: it was dropped, or held in the hold stage. To permit
 * is to return to the chain before, whose next rules go on: that is what iptables does. */
static bool walk(struct rule_judge *judge, const struct rule_chain *chain,
		 const struct rule_packet *packet, uint64_t now_ns, unsigned int depth,
		 struct rule_outcome *outcome)
{
	for (size_t i = 0; i < chain->rule_count; i++) {
		const struct rule *rule = &chain->rules[i];

		if (!packet_matches(judge, &rule->match, packet, now_ns))
			continue;
		switch (rule->verdict) {
		case RULE_PERMIT:
			outcome->rule = rule;
			return false;
		case RULE_DROP:
		case RULE_REJECT:
			outcome->rule = rule;
			outcome->verdict = rule->verdict;
			return true;
		case RULE_JUMP:
			if (depth < JUMP_DEPTH && walk(judge, &judge->program->chains[rule->chain],
						       packet, now_ns, depth + 1, outcome))
				return true;
			break;
		case RULE_HOLD:
			outcome->held_by = rule;
			return true;
		case RULE_REPORT:
			outcome->reported = true;
			break;
		case RULE_NOTE:
			note(judge, rule, packet, now_ns);
			break;
		case RULE_COUNT_KINDS:
			break;
		}
	}
	return false;
}

static const struct rule_chain *chain_of(const struct rule_program *program, enum rule_hook hook)
{
	for (size_t i = 0; hook != HOOK_NONE && i < program->chain_count; i++)
		if (program->chains[i].hook == hook)
			return &program->chains[i];
	return NULL;
}

struct rule_outcome rule_judge_packet(struct rule_judge *judge, const struct rule_packet *packet,
				      uint64_t now_ns)
{
	static const enum rule_hook hold_hooks[HOOK_COUNT] = {
		[HOOK_OUT] = HOOK_HOLD_OUT,
		[HOOK_IN] = HOOK_HOLD_IN,
	};
	const struct rule_chain *hold = chain_of(judge->program, hold_hooks[packet->hook]);
	const struct rule_chain *chain = chain_of(judge->program, packet->hook);
	struct rule_outcome outcome = {.verdict = RULE_PERMIT};

	begin(judge, now_ns);
	if (hold)
		(void)walk(judge, hold, packet, now_ns, 0, &outcome);
	if (chain)
		(void)walk(judge, chain, packet, now_ns, 0, &outcome);
	return outcome;
}
