/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/set_generations.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

#define OUR_SETS RENDER_PREFIX "-"

/* "rtguard-a4-names": the letter; NUL for a name that is not made that way. */
static char generation_of(const char *set_name)
{
	char letter = set_name[strlen(OUR_SETS)];

	return letter >= 'a' && letter <= 'z' ? letter : '\0';
}

int set_generations_sweep(struct ip_sets *sets, char kept, char left[SET_LETTERS_SIZE],
			  struct error *error)
{
	_cleanup_(freep) struct ip_set_listed *listed = NULL;
	bool used['z' + 1] = {false};
	size_t letters = 0;
	size_t count = 0;
	int result = ip_sets_list(sets, OUR_SETS, &listed, &count, error);

	if (result < 0)
		return result;
	for (size_t i = 0; i < count; i++) {
		char letter = generation_of(listed[i].name);

		if (listed[i].references || letter == kept)
			used[(unsigned char)letter] = true;
	}
	for (size_t i = 0; i < count; i++) {
		char letter = generation_of(listed[i].name);

		if (letter && !used[(unsigned char)letter] &&
		    ip_sets_destroy(sets, listed[i].name, NULL) < 0)
			used[(unsigned char)letter] = true;
	}
	for (int letter = 'a'; letter <= 'z'; letter++)
		if (used[letter])
			left[letters++] = (char)letter;
	left[letters] = '\0';
	return 0;
}

char set_generations_next(const char *left)
{
	char letter = 'a';

	while (letter <= 'z' && strchr(left, letter))
		letter++;
	return letter <= 'z' ? letter : '\0';
}

/* The families that a set is made for, one kernel set each. */
static const struct {
	char digit;
	unsigned int family;
} FAMILIES[] = {
	{'4', RULE_IPV4},
	{'6', RULE_IPV6},
	{'x', 0},
};

static bool is_made_for(const struct rule_set *set, unsigned int family)
{
	return set->kind == SET_PORT ? family == 0 : (set->families & family) != 0;
}

int set_generations_make(struct ip_sets *sets, const struct rule_program *program, char generation,
			 struct error *error)
{
	for (size_t i = 0; i < program->set_count; i++)
		for (size_t j = 0; j < array_length(FAMILIES); j++) {
			const struct rule_set *set = &program->sets[i];
			char name[RENDER_SET_NAME_SIZE];
			int result;

			if (!is_made_for(set, FAMILIES[j].family))
				continue;
			render_set_name(set, FAMILIES[j].digit, generation, name);
			result = ip_sets_create(sets, name, set, FAMILIES[j].family, error);
			if (result == 0)
				result = ip_sets_fill(sets, name, set, FAMILIES[j].family, error);
			if (result < 0)
				return result;
		}
	return 0;
}

int set_generations_indices(struct ip_sets *sets, const struct rule_program *program,
			    unsigned int family, char generation, uint16_t *indices,
			    struct error *error)
{
	for (size_t i = 0; i < program->set_count; i++) {
		const struct rule_set *set = &program->sets[i];
		char name[RENDER_SET_NAME_SIZE];
		int result;

		if (set->kind != SET_PORT && !(set->families & family))
			continue;
		render_set_name(set,
				set->kind == SET_PORT ? 'x'
				: family == RULE_IPV6 ? '6'
						      : '4',
				generation, name);
		result = ip_sets_index(sets, name, &indices[i]);
		if (result < 0)
			return error_set(error, -result, "ipset %s: %s", name, strerror(-result));
	}
	return 0;
}
