/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/compile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "rules/compile_private.h"

static uint16_t add_chain(struct compiler *compiler, const char *name, enum rule_hook hook,
			  const char *report_prefix)
{
	struct rule_chain *chain = rule_program_add_chain(compiler->program);

	if (!chain) {
		compiler->failure = -ENOMEM;
		return RULE_NONE;
	}
	(void)snprintf(chain->name, sizeof(chain->name), "%s", name);
	chain->hook = hook;
	chain->report_prefix = report_prefix;
	return (uint16_t)(compiler->program->chain_count - 1);
}

/* Bridged packets come through the same hook where the kernel is told so: what is said of devices
 * is not said here. */
static bool passes_on(const struct compiler *compiler)
{
	return compiler->options->leave_forwarded || compiler->profile->device_count ||
	       compiler->profile->bridge_lan.count;
}

static int add_chains(struct compiler *compiler)
{
	static const struct {
		enum rule_hook hook;
		const char *name;
		const char *prefix;
	} hooks[] = {
		{HOOK_HOLD_OUT, "hold-out", RULE_PREFIX_OUT},	{HOOK_OUT, "out", RULE_PREFIX_OUT},
		{HOOK_HOLD_IN, "hold-in", RULE_PREFIX_IN},	{HOOK_IN, "in", RULE_PREFIX_IN},
		{HOOK_FORWARD, "forward", RULE_PREFIX_FORWARD},
	};

	compiler->chains[HOOK_NONE] = RULE_NONE;
	compiler->chains[HOOK_FORWARD] = RULE_NONE;
	for (size_t i = 0; i < array_length(hooks); i++)
		if (hooks[i].hook != HOOK_FORWARD || !passes_on(compiler))
			compiler->chains[hooks[i].hook] =
				add_chain(compiler, hooks[i].name, hooks[i].hook, hooks[i].prefix);
	compiler->refuse_out = add_chain(compiler, "refuse-out", HOOK_NONE, RULE_PREFIX_OUT);
	compiler->refuse_in = add_chain(compiler, "refuse-in", HOOK_NONE, RULE_PREFIX_IN);
	compiler->refuse_forward = RULE_NONE;
	if (!passes_on(compiler))
		compiler->refuse_forward =
			add_chain(compiler, "refuse-forward", HOOK_NONE, RULE_PREFIX_FORWARD);
	return compiler->failure;
}

static int add_questions(struct compiler *compiler)
{
	const struct string_list *names = &compiler->network->names;

	for (size_t i = 0; i < names->count; i++)
		if (string_list_add(&compiler->program->questions, names->items[i]) < 0)
			return -ENOMEM;
	return 0;
}

static int compile(struct compiler *compiler, struct error *error)
{
	const struct rules_options *options = compiler->options;
	int result = add_chains(compiler);

	if (result == 0 && options->binding == BIND_USER && options->user_id)
		result = program_users_new(compiler->profile, options, &compiler->users);
	if (result == 0)
		result = compile_classes(compiler, error);
	if (result < 0)
		return result;
	compile_out(compiler);
	compile_in(compiler);
	compile_hold(compiler);
	compile_refuse(compiler);
	for (size_t i = 0; i < compiler->program->set_count; i++)
		rule_set_sort(&compiler->program->sets[i]);
	result = add_questions(compiler);
	rule_program_sort_names(compiler->program);
	return compiler->failure ? compiler->failure : result;
}

int rules_compile(const struct profile *profile, const struct rules_options *options,
		  const struct rules_surroundings *surroundings, struct rule_program **ret_program,
		  struct error *error)
{
	static const struct rules_surroundings unknown;
	struct compiler compiler = {
		.profile = profile,
		.network = &profile->network,
		.options = options,
		.surroundings = surroundings ? surroundings : &unknown,
		.program = rule_program_new(),
		.lan = RULE_NONE,
		.special = RULE_NONE,
		.link = RULE_NONE,
		.resolvers = RULE_NONE,
		.gateways = RULE_NONE,
		.dhcp_servers = RULE_NONE,
		.tcp_high = RULE_NONE,
		.asked = RULE_NONE,
		.asking = RULE_NONE,
	};
	int result = -ENOMEM;

	if (compiler.program) {
		compiler.program->first_queue = options->first_queue;
		compiler.program->log_group = options->log_group;
		compiler.program->permits_unknown_names = options->permit_unknown_names;
		result = compile(&compiler, error);
	}
	program_users_free(compiler.users);
	free(compiler.classes);
	if (result < 0) {
		rule_program_free(compiler.program);
		return result == -E2BIG ? result : error_set(error, ENOMEM, "memory is out");
	}
	*ret_program = compiler.program;
	return 0;
}
