/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/policy_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static void fail(struct policy_build *build, int result)
{
	if (!build->failed)
		build->failed = result;
}

/* Slots are at most half full. */
static uint32_t slots_for(size_t count)
{
	uint32_t slots = 16;

	while (slots < 2 * count)
		slots *= 2;
	return slots;
}

static int make_slots(struct policy_build *build, enum policy_part part, uint32_t count)
{
	build->parts[part].records = calloc(count, sizeof(uint32_t));
	build->parts[part].count = build->parts[part].capacity = count;
	return build->parts[part].records ? 0 : -ENOMEM;
}

int policy_build_start(struct policy_build *build, size_t entries)
{
	uint32_t slots;

	*build = (struct policy_build){0};
	if (entries > POLICY_SIZE_LIMIT / sizeof(struct policy_content))
		return -EFBIG;
	slots = slots_for(entries);
	build->string_slots = slots;
	build->strings = calloc(slots, sizeof(*build->strings));
	if (!build->strings || make_slots(build, PART_CONTENT_SLOTS, slots) < 0 ||
	    make_slots(build, PART_PATH_SLOTS, slots) < 0)
		return -ENOMEM;
	(void)policy_build_string(build, "");
	return build->failed;
}

void policy_build_clear(struct policy_build *build)
{
	for (size_t i = 0; i < PART_COUNT; i++)
		free(build->parts[i].records);
	free(build->strings);
	*build = (struct policy_build){0};
}

/* Room for more records at the end of a part, zeroed and counted. */
static void *extend(struct policy_build *build, enum policy_part part, size_t count)
{
	size_t size = policy_record_size[part];
	size_t needed = build->parts[part].count + count;
	size_t larger = build->parts[part].capacity ? build->parts[part].capacity : 64;
	char *records = build->parts[part].records;

	if (build->failed)
		return NULL;
	build->bytes += count * size;
	if (build->bytes > POLICY_SIZE_LIMIT) {
		fail(build, -EFBIG);
		return NULL;
	}
	while (larger < needed)
		larger *= 2;
	if (larger > build->parts[part].capacity) {
		records = reallocarray(records, larger, size);
		if (!records) {
			fail(build, -ENOMEM);
			return NULL;
		}
		build->parts[part].records = records;
		build->parts[part].capacity = larger;
	}
	records += build->parts[part].count * size;
	build->parts[part].count = needed;
	memset(records, 0, count * size);
	return records;
}

uint32_t policy_build_add(struct policy_build *build, enum policy_part part, void *ret_record)
{
	void *record = extend(build, part, 1);

	*(void **)ret_record = record;
	return record ? (uint32_t)build->parts[part].count - 1 : 0;
}

void *policy_build_at(const struct policy_build *build, enum policy_part part, uint32_t index)
{
	return (char *)build->parts[part].records + index * policy_record_size[part];
}

uint32_t policy_build_count(const struct policy_build *build, enum policy_part part)
{
	return (uint32_t)build->parts[part].count;
}

/* ---- text ---- */

static uint32_t *find_string(const struct policy_build *build, uint32_t *slots, uint32_t count,
			     const char *string)
{
	const char *strings = build->parts[PART_STRINGS].records;
	uint32_t at = policy_string_hash(string) & (count - 1);

	while (slots[at] && strcmp(strings + slots[at] - 1, string) != 0)
		at = (at + 1) & (count - 1);
	return &slots[at];
}

static void grow_strings(struct policy_build *build)
{
	const char *strings = build->parts[PART_STRINGS].records;
	uint32_t count = build->string_slots * 2;
	uint32_t *slots = calloc(count, sizeof(*slots));

	if (!slots) {
		fail(build, -ENOMEM);
		return;
	}
	for (uint32_t i = 0; i < build->string_slots; i++)
		if (build->strings[i])
			*find_string(build, slots, count, strings + build->strings[i] - 1) =
				build->strings[i];
	free(build->strings);
	build->strings = slots;
	build->string_slots = count;
}

uint32_t policy_build_string(struct policy_build *build, const char *string)
{
	uint32_t *slot;
	uint32_t offset = policy_build_count(build, PART_STRINGS);
	char *place;

	if (build->string_count >= build->string_slots / 2)
		grow_strings(build);
	if (build->failed)
		return 0;
	slot = find_string(build, build->strings, build->string_slots, string);
	if (*slot)
		return *slot - 1;
	place = extend(build, PART_STRINGS, strlen(string) + 1);
	if (!place)
		return 0;
	memcpy(place, string, strlen(string) + 1);
	*slot = offset + 1;
	build->string_count++;
	return offset;
}

void policy_build_word(struct policy_build *build, const char *string)
{
	uint32_t offset = policy_build_string(build, string);
	uint32_t *word;

	(void)policy_build_add(build, PART_WORDS, &word);
	if (word)
		*word = offset;
}

void policy_build_path(struct policy_build *build, const char *path)
{
	uint32_t offset = policy_build_string(build, path);
	uint32_t *slots = build->parts[PART_PATH_SLOTS].records;
	uint32_t *slot;

	if (build->failed)
		return;
	slot = find_string(build, slots, policy_build_count(build, PART_PATH_SLOTS), path);
	if (!*slot && build->path_count++ >= policy_build_count(build, PART_PATH_SLOTS) / 2)
		fail(build, -EFBIG); /* more than was said at the start */
	*slot = offset + 1;
}

/* ---- contents ---- */

uint32_t policy_build_content(struct policy_build *build, const uint8_t sha256[32])
{
	uint32_t *slots = build->parts[PART_CONTENT_SLOTS].records;
	uint32_t mask = policy_build_count(build, PART_CONTENT_SLOTS) - 1;
	uint32_t at = policy_content_hash(sha256) & mask;
	struct policy_content *content;
	uint32_t index;

	for (; slots[at]; at = (at + 1) & mask) {
		content = policy_build_at(build, PART_CONTENTS, slots[at] - 1);
		if (memcmp(content->sha256, sha256, sizeof(content->sha256)) == 0)
			return slots[at] - 1;
	}
	index = policy_build_add(build, PART_CONTENTS, &content);
	if (!content)
		return 0;
	if (index > mask / 2)
		fail(build, -EFBIG); /* more than was said at the start */
	memcpy(content->sha256, sha256, sizeof(content->sha256));
	slots[at] = index + 1;
	return index;
}

/* ---- the block ---- */

static size_t align(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

int policy_build_finish(const struct policy_build *build, const struct program_policy *header,
			void **ret_block, size_t *ret_size)
{
	struct program_policy policy = *header;
	size_t size = align(sizeof(policy));
	char *block;

	if (build->failed)
		return build->failed;
	for (size_t i = 0; i < PART_COUNT; i++) {
		policy.parts[i] =
			(struct policy_range){(uint32_t)size, (uint32_t)build->parts[i].count};
		size = align(size + build->parts[i].count * policy_record_size[i]);
	}
	if (size > POLICY_SIZE_LIMIT)
		return -EFBIG;
	policy.magic = POLICY_MAGIC;
	policy.size = size;
	block = calloc(1, size);
	if (!block)
		return -ENOMEM;
	memcpy(block, &policy, sizeof(policy));
	for (size_t i = 0; i < PART_COUNT; i++)
		if (build->parts[i].count)
			memcpy(block + policy.parts[i].first, build->parts[i].records,
			       build->parts[i].count * policy_record_size[i]);
	*ret_block = block;
	*ret_size = size;
	return 0;
}
