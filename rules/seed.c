/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses that names had while learning. */
#include <errno.h>

#include "profiles/known_addresses.h"
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

static int seed_name(void *context, const char *name, const struct ip_address *address)
{
	struct seeding *seeding = context;

	rule_program_members(seeding->program, name, address, seed, seeding);
	return seeding->count < 0 ? seeding->count : 0;
}

int rules_seed(struct rule_program *program, const struct profile *profile, uint32_t timeout_s)
{
	struct seeding seeding = {.program = program, .timeout_s = timeout_s};

	(void)known_addresses_each(profile, seed_name, &seeding);
	for (size_t i = 0; i < program->set_count; i++)
		if (program->sets[i].has_timeouts)
			rule_set_sort(&program->sets[i]);
	return seeding.count;
}
