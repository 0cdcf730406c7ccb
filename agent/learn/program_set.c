/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "learn/program_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int make_room(struct program_set *set, size_t count)
{
	uint64_t *words;

	if (count <= set->count)
		return 0;
	words = reallocarray(set->words, count, sizeof(*words));
	if (!words)
		return -ENOMEM;
	memset(words + set->count, 0, (count - set->count) * sizeof(*words));
	set->words = words;
	set->count = count;
	return 0;
}

int program_set_add(struct program_set *set, uint32_t program)
{
	int result = make_room(set, program / 64 + 1);

	if (result == 0)
		set->words[program / 64] |= UINT64_C(1) << program % 64;
	return result;
}

int program_set_unite(struct program_set *set, const struct program_set *other)
{
	int result = make_room(set, other->count);

	for (size_t i = 0; result == 0 && i < other->count; i++)
		set->words[i] |= other->words[i];
	return result;
}

bool program_set_has(const struct program_set *set, uint32_t program)
{
	return program / 64 < set->count && set->words[program / 64] >> program % 64 & 1;
}

bool program_set_is_empty(const struct program_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->words[i])
			return false;
	return true;
}

void program_set_free(struct program_set *set)
{
	free(set->words);
	*set = (struct program_set){0};
}
