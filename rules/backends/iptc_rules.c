/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/iptc_rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter/xt_mark.h>

#include "base/cleanup.h"
#include "base/crc32.h"
#include "base/text.h"
#include "rules/render.h"

void iptc_rules_free(struct iptc_rules *rules)
{
	for (size_t i = 0; i < rules->chain_count; i++) {
		for (size_t j = 0; j < rules->chains[i].entry_count; j++)
			free(rules->chains[i].entries[j]);
		free(rules->chains[i].entries);
	}
	for (size_t i = 0; i < rules->jump_count; i++)
		free(rules->jumps[i].entry);
	free(rules->chains);
	free(rules->jumps);
	memset(rules, 0, sizeof(*rules));
}

bool iptc_rules_are_empty(const struct iptc_rules *rules)
{
	return rules->chain_count == 0 && rules->jump_count == 0;
}

static bool is_ours(const char *name)
{
	return strncmp(name, RENDER_CHAIN_PREFIX, strlen(RENDER_CHAIN_PREFIX)) == 0;
}

static void *copy(const struct iptc_family *family, const void *entry)
{
	size_t size = iptc_next_offset(family, entry);
	void *copied = malloc(size);

	return copied ? memcpy(copied, entry, size) : NULL;
}

struct iptc_chain *iptc_rules_add_chain(struct iptc_rules *rules, const char *name)
{
	struct iptc_chain *chain;

	if (array_reserve(&rules->chains, &rules->chain_capacity, rules->chain_count,
			  sizeof(*rules->chains)) < 0)
		return NULL;
	chain = &rules->chains[rules->chain_count++];
	memset(chain, 0, sizeof(*chain));
	(void)snprintf(chain->name, sizeof(chain->name), "%s", name);
	return chain;
}

int iptc_chain_append(struct iptc_chain *chain, const struct iptc_family *family, const void *entry)
{
	void *copied;

	if (array_reserve(&chain->entries, &chain->entry_capacity, chain->entry_count,
			  sizeof(*chain->entries)) < 0)
		return -ENOMEM;
	copied = copy(family, entry);
	if (!copied)
		return -ENOMEM;
	chain->entries[chain->entry_count++] = copied;
	return 0;
}

int iptc_rules_add_jump(struct iptc_rules *rules, const struct iptc_family *family,
			const char *chain, unsigned int place, const void *entry)
{
	struct iptc_jump *jump;

	if (array_reserve(&rules->jumps, &rules->jump_capacity, rules->jump_count,
			  sizeof(*rules->jumps)) < 0)
		return -ENOMEM;
	jump = &rules->jumps[rules->jump_count];
	memset(jump, 0, sizeof(*jump));
	(void)snprintf(jump->chain, sizeof(jump->chain), "%s", chain);
	jump->place = place;
	jump->entry = copy(family, entry);
	if (!jump->entry)
		return -ENOMEM;
	rules->jump_count++;
	return 0;
}

/* ---- reading ---- */

/* Writes down where it leads by name: the number in it counts only in its own snapshot. */
static void name_target(const struct iptc_family *family, struct xtc_handle *handle,
			const void *original, void *copied)
{
	struct xt_entry_target *target =
		(void *)((char *)copied + iptc_target_offset(family, copied));
	const char *name = family->target(original, handle);

	if (target->u.user.name[0] == '\0' && name)
		(void)snprintf(target->u.user.name, sizeof(target->u.user.name), "%s", name);
}

static int read_chain(const struct iptc_family *family, struct xtc_handle *handle, const char *name,
		      struct iptc_rules *rules)
{
	struct iptc_chain *chain = is_ours(name) ? iptc_rules_add_chain(rules, name) : NULL;
	unsigned int place = 0;

	if (is_ours(name) && !chain)
		return -ENOMEM;
	for (const void *entry = family->first_rule(name, handle); entry;
	     entry = family->next_rule(entry, handle)) {
		const char *target = family->target(entry, handle);
		int result;

		place++;
		if (chain) {
			result = iptc_chain_append(chain, family, entry);
			if (result == 0)
				name_target(family, handle, entry,
					    chain->entries[chain->entry_count - 1]);
		} else if (target && is_ours(target)) {
			result = iptc_rules_add_jump(rules, family, name, place, entry);
			if (result == 0)
				name_target(family, handle, entry,
					    rules->jumps[rules->jump_count - 1].entry);
		} else {
			continue;
		}
		if (result < 0)
			return result;
	}
	return 0;
}

int iptc_rules_read(const struct iptc_family *family, struct xtc_handle *handle,
		    struct iptc_rules *rules)
{
	for (const char *name = family->first_chain(handle); name;
	     name = family->next_chain(handle)) {
		int result = read_chain(family, handle, name, rules);

		if (result < 0) {
			iptc_rules_free(rules);
			return result;
		}
	}
	return 0;
}

/* ---- putting ---- */

static int refused(const struct iptc_family *family, const char *what, const char *chain,
		   struct error *error)
{
	return error_set(error, errno ? errno : EIO, "%s table " IPTC_TABLE ": %s %s: %s",
			 family->name, what, chain, family->describe(errno));
}

static bool has_chain(const struct iptc_rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->chain_count; i++)
		if (strcmp(rules->chains[i].name, name) == 0)
			return true;
	return false;
}

static int take_away(const struct iptc_family *family, struct xtc_handle *handle,
		     const struct iptc_rules *there, const struct iptc_rules *wanted,
		     struct error *error)
{
	/* from the last on: the places before it stay right */
	for (size_t i = there->jump_count; i-- > 0;)
		if (!family->delete_number(there->jumps[i].chain, there->jumps[i].place - 1,
					   handle))
			return refused(family, "a jump of", there->jumps[i].chain, error);
	for (size_t i = 0; i < there->chain_count; i++)
		if (!family->flush_chain(there->chains[i].name, handle))
			return refused(family, "emptying", there->chains[i].name, error);
	for (size_t i = 0; i < there->chain_count; i++)
		if (!has_chain(wanted, there->chains[i].name) &&
		    !family->delete_chain(there->chains[i].name, handle))
			return refused(family, "deleting", there->chains[i].name, error);
	return 0;
}

static int bring_in(const struct iptc_family *family, struct xtc_handle *handle,
		    const struct iptc_rules *there, const struct iptc_rules *wanted,
		    struct error *error)
{
	for (size_t i = 0; i < wanted->chain_count; i++)
		if (!has_chain(there, wanted->chains[i].name) &&
		    !family->create_chain(wanted->chains[i].name, handle))
			return refused(family, "making", wanted->chains[i].name, error);
	for (size_t i = 0; i < wanted->chain_count; i++)
		for (size_t j = 0; j < wanted->chains[i].entry_count; j++)
			if (!family->append(wanted->chains[i].name, wanted->chains[i].entries[j],
					    handle))
				return refused(family, "a rule of", wanted->chains[i].name, error);
	for (size_t i = 0; i < wanted->jump_count; i++)
		if (!family->insert(wanted->jumps[i].chain, wanted->jumps[i].entry,
				    wanted->jumps[i].place - 1, handle))
			return refused(family, "a jump of", wanted->jumps[i].chain, error);
	return 0;
}

int iptc_rules_put(const struct iptc_family *family, struct xtc_handle *handle,
		   const struct iptc_rules *rules, struct error *error)
{
	struct iptc_rules there = {0};
	int result = iptc_rules_read(family, handle, &there);

	if (result < 0)
		return error_set(error, -result, "%s table " IPTC_TABLE ": %s", family->name,
				 strerror(-result));
	result = take_away(family, handle, &there, rules, error);
	if (result == 0)
		result = bring_in(family, handle, &there, rules, error);
	iptc_rules_free(&there);
	return result;
}

/* ---- check sum ---- */

/* The part of a match's or target's data that is the user's; of an unknown one nothing but that it
 * is there, as the kernel may keep its own state in it. */
static uint32_t sum_extension(uint32_t sum, const char *name, bool is_target, uint8_t revision,
			      const void *data)
{
	const struct iptc_extension *extension = iptc_extension_find(name, is_target, revision);

	sum = crc32_update(sum, name, strlen(name) + 1);
	sum = crc32_update(sum, &revision, sizeof(revision));
	return extension ? crc32_update(sum, data, extension->user_size) : sum;
}

static uint32_t sum_entry(uint32_t sum, const struct iptc_family *family, const void *entry)
{
	const char *bytes = entry;
	size_t end = iptc_target_offset(family, entry);
	const struct xt_entry_target *target = (const void *)(bytes + end);

	sum = crc32_update(sum, bytes, family->header_size);
	for (size_t at = family->entry_size; at < end;) {
		const struct xt_entry_match *match = (const void *)(bytes + at);

		sum = sum_extension(sum, match->u.user.name, false, match->u.user.revision,
				    match->data);
		at += match->u.match_size;
	}
	return sum_extension(sum, target->u.user.name, true, target->u.user.revision, target->data);
}

struct iptc_digest iptc_rules_digest(const struct iptc_family *family,
				     const struct iptc_rules *rules)
{
	struct iptc_digest digest = {.chains = rules->chain_count, .jumps = rules->jump_count};

	for (size_t i = 0; i < rules->chain_count; i++) {
		const struct iptc_chain *chain = &rules->chains[i];
		uint32_t sum = crc32_update(0, chain->name, strlen(chain->name) + 1);

		for (size_t j = 0; j < chain->entry_count; j++)
			sum = sum_entry(sum, family, chain->entries[j]);
		/* chains have no order of their own: libiptc sorts them by name */
		digest.sum += sum;
		digest.rules += chain->entry_count;
	}
	for (size_t i = 0; i < rules->jump_count; i++) {
		const struct iptc_jump *jump = &rules->jumps[i];
		uint32_t sum = crc32_update(0, jump->chain, strlen(jump->chain) + 1);

		sum = crc32_update(sum, &jump->place, sizeof(jump->place));
		digest.jump_sum += sum_entry(sum, family, jump->entry);
	}
	return digest;
}

/* ---- the release mark ---- */

static bool find_mark(const struct iptc_family *family, const void *entry, uint32_t mask,
		      uint32_t *ret_mark)
{
	const char *bytes = entry;
	size_t end = iptc_target_offset(family, entry);

	for (size_t at = family->entry_size; at < end;) {
		const struct xt_entry_match *match = (const void *)(bytes + at);
		const struct xt_mark_mtinfo1 *mark = (const void *)match->data;

		if (iptc_extension_find(match->u.user.name, false, match->u.user.revision) ==
			    &iptc_extensions[MATCH_MARK] &&
		    mark->mask == mask) {
			*ret_mark = mark->mark;
			return true;
		}
		at += match->u.match_size;
	}
	return false;
}

bool iptc_rules_find_mark(const struct iptc_family *family, const struct iptc_rules *rules,
			  uint32_t mask, uint32_t *ret_mark)
{
	for (size_t i = 0; i < rules->chain_count; i++)
		for (size_t j = 0; j < rules->chains[i].entry_count; j++)
			if (find_mark(family, rules->chains[i].entries[j], mask, ret_mark))
				return true;
	return false;
}
