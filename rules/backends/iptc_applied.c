/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/iptc_applied.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "rules/render.h"

/* ---- which chains refuse ---- */

static bool jumps_to(const struct rule_chain *chain, size_t target)
{
	for (size_t i = 0; i < chain->rule_count; i++)
		if (chain->rules[i].verdict == RULE_JUMP && chain->rules[i].chain == target)
			return true;
	return false;
}

/* depth: no more jumps in a row than there are chains. */
static enum rule_hook find_way(const struct rule_program *program, size_t chain, size_t depth)
{
	enum rule_hook way = program->chains[chain].hook;

	for (size_t i = 0; depth && way == HOOK_NONE && i < program->chain_count; i++)
		if (jumps_to(&program->chains[i], chain))
			way = find_way(program, i, depth - 1);
	return way;
}

static void list_counted(struct iptc_applied *applied, const struct rule_program *program)
{
	for (size_t i = 0; i < program->chain_count; i++) {
		const struct rule_chain *chain = &program->chains[i];
		struct iptc_counted *counted = &applied->counted[applied->counted_count];

		for (size_t j = 0; j < chain->rule_count; j++) {
			if (!render_is_refusal(chain, &chain->rules[j]))
				continue;
			if (chain->rules[j].verdict == RULE_PERMIT)
				counted->permits = true;
			counted->way = find_way(program, i, program->chain_count);
		}
		if (counted->way == HOOK_NONE)
			continue;
		render_chain_name(chain, counted->chain);
		applied->counted_count++;
	}
}

/* ---- life ---- */

int iptc_applied_new(struct iptc_applied *applied, const struct rule_program *program,
		     char generation, const struct iptc_rules *rules, const bool *is_there,
		     struct error *error)
{
	applied->sets = calloc(program->set_count + 1, sizeof(*applied->sets));
	applied->counted = calloc(program->chain_count + 1, sizeof(*applied->counted));
	if (!applied->sets || !applied->counted) {
		iptc_applied_free(applied);
		return error_set(error, ENOMEM, "iptables: %s", strerror(ENOMEM));
	}
	applied->generation = generation;
	applied->set_count = program->set_count;
	for (size_t i = 0; i < program->set_count; i++) {
		applied->sets[i] = program->sets[i];
		applied->sets[i].members = NULL;
		applied->sets[i].member_count = 0;
		applied->sets[i].member_capacity = 0;
	}
	list_counted(applied, program);
	for (size_t i = 0; i < IPTC_FAMILY_COUNT; i++) {
		applied->is_there[i] = is_there[i];
		applied->digests[i] = iptc_rules_digest(&iptc_families[i], &rules[i]);
	}
	return 0;
}

void iptc_applied_free(struct iptc_applied *applied)
{
	free(applied->sets);
	free(applied->counted);
	memset(applied, 0, sizeof(*applied));
}

/* ---- counting ---- */

static uint64_t count_chain(const struct iptc_counted *counted, const struct iptc_family *family,
			    const struct iptc_chain *chain)
{
	uint64_t packets = 0;

	for (size_t i = 0; i < chain->entry_count; i++) {
		const char *entry = chain->entries[i];
		const struct xt_entry_target *target =
			(const void *)(entry + iptc_target_offset(family, entry));
		const char *name = target->u.user.name;

		if (strcmp(name, "DROP") == 0 || strcmp(name, "REJECT") == 0 ||
		    (counted->permits && strcmp(name, "RETURN") == 0))
			packets += iptc_counters(family, entry)->pcnt;
	}
	return packets;
}

static void add_packets(struct backend_counts *counts, enum rule_hook way, uint64_t packets)
{
	if (way == HOOK_FORWARD)
		counts->refused_forward += packets;
	else if (way == HOOK_IN || way == HOOK_HOLD_IN)
		counts->refused_in += packets;
	else
		counts->refused_out += packets;
}

void iptc_applied_count(const struct iptc_applied *applied, const struct iptc_family *family,
			const struct iptc_rules *rules, struct backend_counts *counts)
{
	for (size_t i = 0; i < applied->counted_count; i++) {
		const struct iptc_counted *counted = &applied->counted[i];

		for (size_t j = 0; j < rules->chain_count; j++)
			if (strcmp(rules->chains[j].name, counted->chain) == 0)
				add_packets(counts, counted->way,
					    count_chain(counted, family, &rules->chains[j]));
	}
}

/* ---- checking ---- */

int iptc_applied_check(const struct iptc_applied *applied, size_t index,
		       const struct iptc_rules *rules, struct error *error)
{
	const char *name = iptc_families[index].name;
	const struct iptc_digest *wanted = &applied->digests[index];
	struct iptc_digest now = iptc_rules_digest(&iptc_families[index], rules);

	if (!applied->is_there[index])
		return error_set(error, ESTALE, "%s is there by now, and the rules know none of it",
				 name);
	if (now.jumps != wanted->jumps || now.jump_sum != wanted->jump_sum)
		return error_set(error, ESTALE,
				 "%s table " IPTC_TABLE ": somebody changed the jumps to "
				 "our chains, or put rules before them",
				 name);
	if (now.chains != wanted->chains || now.rules != wanted->rules)
		return error_set(error, ESTALE,
				 "%s table " IPTC_TABLE ": there are %zu rules in %zu of our "
				 "chains, %zu in %zu were put there",
				 name, now.rules, now.chains, wanted->rules, wanted->chains);
	if (now.sum != wanted->sum)
		return error_set(error, ESTALE,
				 "%s table " IPTC_TABLE ": somebody changed rules in our chains",
				 name);
	return 0;
}

static bool is_listed(const struct ip_set_listed *listed, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(listed[i].name, name) == 0)
			return true;
	return false;
}

int iptc_applied_check_sets(const struct iptc_applied *applied, struct ip_sets *sets,
			    struct error *error)
{
	static const struct {
		char digit;
		unsigned int family;
	} kinds[] = {{'4', RULE_IPV4}, {'6', RULE_IPV6}};
	_cleanup_(freep) struct ip_set_listed *listed = NULL;
	size_t count = 0;
	int result = ip_sets_list(sets, RENDER_PREFIX "-", &listed, &count, error);

	for (size_t i = 0; i < applied->set_count && result == 0; i++) {
		const struct rule_set *set = &applied->sets[i];
		char name[RENDER_SET_NAME_SIZE];

		for (size_t j = 0; j < array_length(kinds); j++) {
			if (set->kind != SET_PORT && !(set->families & kinds[j].family))
				continue;
			render_set_name(set, set->kind == SET_PORT ? 'x' : kinds[j].digit,
					applied->generation, name);
			if (!is_listed(listed, count, name))
				return error_set(error, ESTALE, "ipset %s is gone", name);
		}
	}
	return result;
}
