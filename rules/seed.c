/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses that names had while learning. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <jansson.h>

#include "rules/compile.h"

struct seeding {
	struct rule_program *program;
	uint32_t timeout_s;
	int count; /* or -ENOMEM */
};

static void seed(void *context, uint16_t set, const struct rule_member *member)
{
	struct seeding *seeding = context;
	struct rule_member remembered = *member;

	remembered.timeout_s = seeding->timeout_s;
	if (seeding->count < 0)
		return;
	if (rule_set_add(&seeding->program->sets[set], &remembered) < 0)
		seeding->count = -ENOMEM;
	else
		seeding->count++;
}

int rules_seed(struct rule_program *program, const struct profile *profile, uint32_t timeout_s)
{
	struct seeding seeding = {.program = program, .timeout_s = timeout_s};
	const char *name;
	json_t *list;

	json_object_foreach(json_object_get(profile->evidence, "addresses"), name, list)
	{
		size_t i;
		json_t *item;

		json_array_foreach(list, i, item)
		{
			struct ip_address address;

			if (json_is_string(item) &&
			    ip_parse(json_string_value(item), &address) == 0)
				rule_program_members(program, name, &address, seed, &seeding);
		}
	}
	for (size_t i = 0; i < program->set_count; i++)
		if (program->sets[i].has_timeouts)
			rule_set_sort(&program->sets[i]);
	return seeding.count;
}
