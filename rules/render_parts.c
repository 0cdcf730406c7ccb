/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "rules/render.h"

void render_set_name(const struct rule_set *set, char family, char generation,
		     char name[RENDER_SET_NAME_SIZE])
{
	(void)snprintf(name, RENDER_SET_NAME_SIZE, "%s-%c%c-%s", RENDER_PREFIX, generation, family,
		       set->name);
}

void render_nftables_set_name(const struct rule_set *set, char family,
			      char name[RENDER_SET_NAME_SIZE])
{
	if (set->kind == SET_PORT)
		(void)snprintf(name, RENDER_SET_NAME_SIZE, "%s", set->name);
	else
		(void)snprintf(name, RENDER_SET_NAME_SIZE, "%s%c", set->name, family);
}

void render_nftables_queue_chain(unsigned int number, bool passes_unheard,
				 char name[RENDER_SET_NAME_SIZE])
{
	(void)snprintf(name, RENDER_SET_NAME_SIZE, "queue-%u%s", number,
		       passes_unheard ? "-bypass" : "");
}

void render_chain_name(const struct rule_chain *chain, char name[RENDER_CHAIN_NAME_SIZE])
{
	size_t length = (size_t)snprintf(name, RENDER_CHAIN_NAME_SIZE, "%s%s", RENDER_CHAIN_PREFIX,
					 chain->name);

	for (size_t i = 0; i < length && i < RENDER_CHAIN_NAME_SIZE; i++)
		name[i] = (char)toupper((unsigned char)name[i]);
}

static bool jumps_to(const struct rule_chain *chain, uint16_t target)
{
	for (size_t i = 0; i < chain->rule_count; i++)
		if (chain->rules[i].verdict == RULE_JUMP && chain->rules[i].chain == target)
			return true;
	return false;
}

/* depth: no more jumps in a row than there are chains, or the program goes round in circles. */
static enum rule_hook reached_from(const struct rule_program *program, uint16_t chain, size_t depth)
{
	enum rule_hook hook = program->chains[chain].hook;

	for (uint16_t i = 0; hook == HOOK_NONE && depth && i < program->chain_count; i++)
		if (jumps_to(&program->chains[i], chain))
			hook = reached_from(program, i, depth - 1);
	return hook;
}

enum rule_hook render_chain_hook(const struct rule_program *program, uint16_t chain)
{
	return reached_from(program, chain, program->chain_count);
}

bool render_chain_is_inbound(const struct rule_program *program, uint16_t chain)
{
	enum rule_hook hook = render_chain_hook(program, chain);

	return hook == HOOK_IN || hook == HOOK_HOLD_IN;
}

unsigned int render_rule_families(const struct rule_program *program, const struct rule *rule)
{
	const struct rule_match *match = &rule->match;
	unsigned int families = match->families;

	if (match->has_icmp_type)
		families &= match->protocol == IPPROTO_ICMPV6 ? RULE_IPV6 : RULE_IPV4;
	if (match->places == PLACE_BROADCAST)
		families &= RULE_IPV4;
	for (size_t i = 0; i < RULE_LOOKUPS; i++) {
		const struct rule_lookup *lookup = &match->lookups[i];

		if (lookup->set == RULE_NONE || lookup->absent)
			continue;
		if (program->sets[lookup->set].kind != SET_PORT)
			families &= program->sets[lookup->set].families;
	}
	if (rule->verdict == RULE_NOTE && program->sets[rule->set].kind != SET_PORT)
		families &= program->sets[rule->set].families;
	return families;
}

bool render_is_refusal(const struct rule_chain *chain, const struct rule *rule)
{
	switch (rule->verdict) {
	case RULE_DROP:
	case RULE_REJECT:
		return true;
	case RULE_PERMIT: /* audit: reported, and let go */
		return chain->hook == HOOK_NONE && chain->report_prefix;
	default:
		return false;
	}
}

#define ROOM_LEAST 65536u

uint32_t render_set_room(const struct rule_set *set)
{
	return set->member_count * 2 > ROOM_LEAST ? (uint32_t)set->member_count * 2 : ROOM_LEAST;
}

#define BUCKETS_LEAST 1024u /* ip_set_hash.h: IPSET_DEFAULT_HASHSIZE */

uint32_t render_set_buckets(const struct rule_set *set)
{
	uint32_t size = BUCKETS_LEAST;

	while (size < set->member_count && size < UINT32_C(1) << 31)
		size *= 2;
	return size;
}

/* The kernel shows members of an interval set of several fields only some milliseconds after the
 * rules of the same transaction: without prefixes it need not be one. */
static bool is_of_whole_addresses(const struct rule_set *set)
{
	for (size_t i = 0; i < set->member_count; i++)
		if (set->members[i].prefix_length <
		    (set->members[i].address.family == 4 ? 32 : 128))
			return false;
	return set->member_count > 0;
}

bool render_set_has_intervals(const struct rule_set *set)
{
	switch (set->kind) {
	case SET_PREFIX:
		return true;
	case SET_PREFIX_PORT:
		return !is_of_whole_addresses(set);
	case SET_PORT: /* ports that come and go do so one by one */
		return !set->has_timeouts;
	default:
		return false;
	}
}
