/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/program_policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "enforce/policy_block.h"

const size_t policy_record_size[PART_COUNT] = {
	[PART_CONTENTS] = sizeof(struct policy_content),
	[PART_CONTENT_SLOTS] = sizeof(uint32_t),
	[PART_PATH_SLOTS] = sizeof(uint32_t),
	[PART_PROGRAMS] = sizeof(struct policy_program),
	[PART_ENTRIES] = sizeof(struct policy_entry),
	[PART_VECTORS] = sizeof(struct policy_vector),
	[PART_SCRIPTS] = sizeof(struct policy_script),
	[PART_WORDS] = sizeof(uint32_t),
	[PART_STRINGS] = sizeof(char),
};

/* FNV-1a. Its input in a block is the profile's, so nobody else can make the slots uneven. */
uint32_t policy_string_hash(const char *string)
{
	uint32_t hash = 2166136261u;

	for (; *string; string++)
		hash = (hash ^ (unsigned char)*string) * 16777619u;
	return hash;
}

/* ---- opening: every index and offset once ---- */

static bool lies_within(const struct policy_range *range, uint32_t count)
{
	return range->first <= count && range->count <= count - range->first;
}

static bool check_parts(const struct program_policy *policy, size_t size)
{
	for (size_t i = 0; i < PART_COUNT; i++) {
		const struct policy_range *part = &policy->parts[i];

		if (part->first % 8 || part->first < sizeof(*policy) || part->first > size ||
		    part->count > (size - part->first) / policy_record_size[i])
			return false;
	}
	return true;
}

static bool check_slots(const struct program_policy *policy, enum policy_part part, uint32_t limit)
{
	const uint32_t *slots = policy_part(policy, part);
	uint32_t count = policy->parts[part].count;
	bool has_free = false;

	if (!count || count & (count - 1)) /* a power of two */
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (slots[i] > limit)
			return false;
		has_free |= slots[i] == 0;
	}
	return has_free; /* where a search ends */
}

static bool check_strings(const struct program_policy *policy)
{
	uint32_t size = policy->parts[PART_STRINGS].count;
	const uint32_t *words = policy_part(policy, PART_WORDS);

	if (!size || *policy_string(policy, size - 1) != '\0')
		return false;
	for (uint32_t i = 0; i < policy->parts[PART_WORDS].count; i++)
		if (words[i] >= size)
			return false;
	return true;
}

static bool check_contents(const struct program_policy *policy)
{
	const struct policy_content *contents = policy_part(policy, PART_CONTENTS);

	for (uint32_t i = 0; i < policy->parts[PART_CONTENTS].count; i++) {
		const struct policy_content *content = &contents[i];

		if ((content->uses & CONTENT_PROGRAM &&
		     content->program >= policy->parts[PART_PROGRAMS].count) ||
		    (content->uses & CONTENT_SCRIPT &&
		     content->script >= policy->parts[PART_SCRIPTS].count))
			return false;
	}
	return true;
}

static bool check_programs(const struct program_policy *policy)
{
	const struct policy_program *programs = policy_part(policy, PART_PROGRAMS);

	for (uint32_t i = 0; i < policy->parts[PART_PROGRAMS].count; i++) {
		const struct policy_program *program = &programs[i];

		if (!lies_within(&program->entries, policy->parts[PART_ENTRIES].count) ||
		    !lies_within(&program->vectors, policy->parts[PART_VECTORS].count) ||
		    !lies_within(&program->reads, policy->parts[PART_WORDS].count))
			return false;
	}
	return true;
}

static bool check_records(const struct program_policy *policy)
{
	const struct policy_entry *entries = policy_part(policy, PART_ENTRIES);
	const struct policy_vector *vectors = policy_part(policy, PART_VECTORS);
	const struct policy_script *scripts = policy_part(policy, PART_SCRIPTS);
	uint32_t words = policy->parts[PART_WORDS].count;

	for (uint32_t i = 0; i < policy->parts[PART_ENTRIES].count; i++)
		if (entries[i].path >= policy->parts[PART_STRINGS].count ||
		    !lies_within(&entries[i].users, words))
			return false;
	for (uint32_t i = 0; i < policy->parts[PART_VECTORS].count; i++)
		if (!lies_within(&vectors[i].words, words) ||
		    (vectors[i].script != POLICY_NOWHERE &&
		     vectors[i].script >= vectors[i].words.count))
			return false;
	for (uint32_t i = 0; i < policy->parts[PART_SCRIPTS].count; i++)
		if (!lies_within(&scripts[i].interpreters, words))
			return false;
	return true;
}

int program_policy_open(const void *block, size_t size, const struct program_policy **ret_policy)
{
	const struct program_policy *policy = block;

	if (size < sizeof(*policy) || size > POLICY_SIZE_LIMIT || (uintptr_t)block % 8 ||
	    policy->magic != POLICY_MAGIC || policy->size != size || !check_parts(policy, size) ||
	    !check_strings(policy) ||
	    !check_slots(policy, PART_CONTENT_SLOTS, policy->parts[PART_CONTENTS].count) ||
	    !check_slots(policy, PART_PATH_SLOTS, policy->parts[PART_STRINGS].count) ||
	    !check_contents(policy) || !check_programs(policy) || !check_records(policy))
		return -EBADMSG;
	*ret_policy = policy;
	return 0;
}

/* ---- questions ---- */

struct content program_policy_find(const struct program_policy *policy, const uint8_t sha256[32])
{
	const struct policy_content *contents = policy_part(policy, PART_CONTENTS);
	const uint32_t *slots = policy_part(policy, PART_CONTENT_SLOTS);
	uint32_t mask = policy->parts[PART_CONTENT_SLOTS].count - 1;

	for (uint32_t at = policy_content_hash(sha256) & mask; slots[at]; at = (at + 1) & mask) {
		const struct policy_content *content = &contents[slots[at] - 1];

		if (memcmp(content->sha256, sha256, sizeof(content->sha256)) == 0)
			return (struct content){content->uses, content->program, content->script};
	}
	return (struct content){0};
}

bool program_policy_has_path(const struct program_policy *policy, const char *path)
{
	const uint32_t *slots = policy_part(policy, PART_PATH_SLOTS);
	uint32_t mask = policy->parts[PART_PATH_SLOTS].count - 1;

	for (uint32_t at = policy_string_hash(path) & mask; slots[at]; at = (at + 1) & mask)
		if (strcmp(policy_string(policy, slots[at] - 1), path) == 0)
			return true;
	return false;
}

const char *program_policy_path(const struct program_policy *policy, uint32_t index)
{
	const struct policy_program *program = policy_program(policy, index);
	const struct policy_entry *entries = policy_part(policy, PART_ENTRIES);

	if (!program || !program->entries.count)
		return "";
	return policy_string(policy, entries[program->entries.first].path);
}

/* A string of which only the first bytes count, among sorted words. */
struct sought_word {
	const struct program_policy *policy;
	const char *bytes;
	size_t size;
};

static int compare_word(const void *key, const void *item)
{
	const struct sought_word *sought = key;
	const char *word = policy_string(sought->policy, *(const uint32_t *)item);
	int order = strncmp(sought->bytes, word, sought->size);

	return order ? order : -(word[sought->size] != '\0');
}

bool program_policy_permits_read(const struct program_policy *policy, uint32_t index,
				 const char *path)
{
	const struct policy_program *program = policy_program(policy, index);
	struct sought_word whole = {policy, path, strlen(path)};
	struct sought_word directory = {policy, path, 0};
	const uint32_t *reads;
	const char *slash = strrchr(path, '/');

	if (!program)
		return false;
	if (!(program->flags & PROGRAM_KNOWS_READS))
		return true;
	if (!slash || !slash[1]) /* a file has a name */
		return false;
	directory.size = (size_t)(slash - path) + 1;
	reads = policy_words(policy, &program->reads);
	return bsearch(&whole, reads, program->reads.count, sizeof(*reads), compare_word) ||
	       bsearch(&directory, reads, program->reads.count, sizeof(*reads), compare_word);
}

static bool has_user(const struct program_policy *policy, const struct policy_entry *entry,
		     const char *user)
{
	const uint32_t *users = policy_words(policy, &entry->users);

	for (uint32_t i = 0; i < entry->users.count; i++)
		if (strcmp(policy_string(policy, users[i]), user) == 0)
			return true;
	return false;
}

bool program_policy_permits_user(const struct program_policy *policy, uint32_t index,
				 const char *path, const char *user)
{
	const struct policy_program *program = policy_program(policy, index);
	const struct policy_entry *entries = policy_part(policy, PART_ENTRIES);

	for (uint32_t i = 0; program && i < program->entries.count; i++) {
		const struct policy_entry *entry = &entries[program->entries.first + i];

		if (strcmp(policy_string(policy, entry->path), path) == 0 &&
		    has_user(policy, entry, user))
			return true;
	}
	return false;
}

struct program_policy_counts program_policy_counts(const struct program_policy *policy)
{
	return (struct program_policy_counts){
		.programs = policy->programs,
		.pinned = policy->pinned,
		.libraries = policy->libraries,
		.scripts = policy->scripts,
	};
}
