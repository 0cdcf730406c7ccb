/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "rules/render.h"
#include "rules/render_iptables_rule.h"

/* The chains of table filter that packets enter ours from. The hold stage is the beginning of the
 * chain that judges: there is no second hook at another priority as nftables has it. */
static const struct {
	const char *chain;
	enum rule_hook hold; /* HOOK_NONE: none */
	enum rule_hook judge;
} ENTRIES[] = {
	{"INPUT", HOOK_HOLD_IN, HOOK_IN},
	{"FORWARD", HOOK_NONE, HOOK_FORWARD},
	{"OUTPUT", HOOK_HOLD_OUT, HOOK_OUT},
};

static bool find_hook(const struct rule_program *program, enum rule_hook hook, uint16_t *ret_chain)
{
	for (uint16_t i = 0; hook != HOOK_NONE && i < program->chain_count; i++)
		if (program->chains[i].hook == hook) {
			*ret_chain = i;
			return true;
		}
	return false;
}

static bool is_hold(const struct rule_chain *chain)
{
	return chain->hook == HOOK_HOLD_OUT || chain->hook == HOOK_HOLD_IN;
}

static void write_declarations(const struct rule_program *program, FILE *stream)
{
	char name[RENDER_CHAIN_NAME_SIZE];

	for (size_t i = 0; i < program->chain_count; i++) {
		if (is_hold(&program->chains[i]))
			continue;
		render_chain_name(&program->chains[i], name);
		(void)fprintf(stream, ":%s - [0:0]\n", name);
	}
}

static void write_entry_jumps(const struct rule_program *program, FILE *stream)
{
	char name[RENDER_CHAIN_NAME_SIZE];
	uint16_t chain;

	for (size_t i = 0; i < array_length(ENTRIES); i++) {
		if (!find_hook(program, ENTRIES[i].judge, &chain))
			continue;
		render_chain_name(&program->chains[chain], name);
		(void)fprintf(stream, "-I %s -j %s\n", ENTRIES[i].chain, name);
	}
}

/* Whether there was any for this family. */
static bool write_rules(const struct rule_program *program, uint16_t from, const char *name,
			unsigned int family, const struct render_instance *instance, FILE *stream)
{
	bool any = false;

	for (size_t i = 0; i < program->chains[from].rule_count; i++)
		any |= iptables_write_rule(program, from, i, name, family, instance, stream);
	return any;
}

static void write_chain(const struct rule_program *program, uint16_t index, unsigned int family,
			const struct render_instance *instance, FILE *stream)
{
	const struct rule_chain *chain = &program->chains[index];
	char name[RENDER_CHAIN_NAME_SIZE];
	uint16_t hold;

	if (is_hold(chain))
		return;
	render_chain_name(chain, name);
	for (size_t i = 0; i < array_length(ENTRIES); i++) {
		if (chain->hook == HOOK_NONE || ENTRIES[i].judge != chain->hook ||
		    !find_hook(program, ENTRIES[i].hold, &hold) ||
		    !write_rules(program, hold, name, family, instance, stream))
			continue;
		/* what was released goes through the chain again, and is an ordinary packet from
		 * here on */
		(void)fprintf(stream,
			      "-A %s -m mark --mark 0x%x/0x%x -j MARK --set-xmark 0x0/0x%x\n", name,
			      instance->release_mark & RENDER_MARK_MASK, RENDER_MARK_MASK,
			      RENDER_MARK_MASK);
	}
	(void)write_rules(program, index, name, family, instance, stream);
}

void render_iptables(const struct rule_program *program, unsigned int family,
		     const struct render_instance *instance, FILE *stream)
{
	(void)fputs("*filter\n", stream);
	write_declarations(program, stream);
	write_entry_jumps(program, stream);
	for (uint16_t i = 0; i < program->chain_count; i++)
		write_chain(program, i, family, instance, stream);
	(void)fputs("COMMIT\n", stream);
}
