/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more item, zeroed; NULL when memory is out. */
static void *grow(void **items, size_t *count, size_t *capacity, size_t size)
{
	void *item;

	if (*count == *capacity) {
		size_t wanted = *capacity ? *capacity * 2 : 8;
		void *grown = reallocarray(*items, wanted, size);

		if (!grown)
			return NULL;
		*items = grown;
		*capacity = wanted;
	}
	item = (char *)*items + *count * size;
	memset(item, 0, size);
	(*count)++;
	return item;
}

struct rule_program *rule_program_new(void)
{
	return calloc(1, sizeof(struct rule_program));
}

void rule_program_free(struct rule_program *program)
{
	if (!program)
		return;
	for (size_t i = 0; i < program->set_count; i++)
		free(program->sets[i].members);
	for (size_t i = 0; i < program->chain_count; i++)
		free(program->chains[i].rules);
	for (size_t i = 0; i < program->name_count; i++)
		free(program->names[i].name);
	free(program->sets);
	free(program->chains);
	free(program->names);
	string_list_free(&program->questions);
	free(program);
}

void rule_program_freep(struct rule_program **program)
{
	rule_program_free(*program);
}

struct rule_set *rule_program_add_set(struct rule_program *program)
{
	return grow((void **)&program->sets, &program->set_count, &program->set_capacity,
		    sizeof(struct rule_set));
}

struct rule_chain *rule_program_add_chain(struct rule_program *program)
{
	return grow((void **)&program->chains, &program->chain_count, &program->chain_capacity,
		    sizeof(struct rule_chain));
}

struct rule *rule_chain_add_rule(struct rule_chain *chain)
{
	struct rule *rule = grow((void **)&chain->rules, &chain->rule_count, &chain->rule_capacity,
				 sizeof(struct rule));

	if (!rule)
		return NULL;
	rule->match.families = RULE_BOTH_FAMILIES;
	for (size_t i = 0; i < RULE_LOOKUPS; i++)
		rule->match.lookups[i].set = RULE_NONE;
	rule->set = RULE_NONE;
	rule->chain = RULE_NONE;
	return rule;
}

struct rule_name *rule_program_add_name(struct rule_program *program)
{
	return grow((void **)&program->names, &program->name_count, &program->name_capacity,
		    sizeof(struct rule_name));
}

uint16_t rule_program_find_set(const struct rule_program *program, const char *name)
{
	for (size_t i = 0; i < program->set_count; i++)
		if (strcmp(program->sets[i].name, name) == 0)
			return (uint16_t)i;
	return RULE_NONE;
}

uint16_t rule_program_find_chain(const struct rule_program *program, const char *name)
{
	for (size_t i = 0; i < program->chain_count; i++)
		if (strcmp(program->chains[i].name, name) == 0)
			return (uint16_t)i;
	return RULE_NONE;
}
