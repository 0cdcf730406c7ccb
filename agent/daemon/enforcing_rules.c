/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network's half: the gate, the rules that it applies, and what it says. */
#include "daemon/enforcing_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/backend.h"
#include "base/cleanup.h"
#include "daemon/policy_users.h"

bool enforcing_holds_network(const struct enforcing *enforcing)
{
	return !enforcing->config->network.off;
}

static void on_found(void *context, const struct finding *finding)
{
	enforcing_take_finding(context, finding, -1);
}

static void on_said(void *context, const char *sentence)
{
	enforcing_say(context, EVENT_RULES, "%s", sentence);
}

static void on_started(void *context, pid_t pid)
{
	struct enforcing *enforcing = context;

	if (enforcing->guard)
		guard_keeper_set_trusted(enforcing->guard, GUARD_TRUSTED_GATE, pid);
}

static int user_id(const char *name, uint32_t *ret_user)
{
	return policy_user_number(name, "/etc/passwd", ret_user);
}

static int start_gate(struct enforcing *enforcing, struct error *error)
{
	const struct enforcing_network *network = &enforcing->config->network;
	struct gate_keeper_config config = {
		.run = gate_run,
		.gate =
			{
				.rules = network->rules,
				.names = network->names,
				.backend = enforcing->backend->name,
				.names_file = enforcing->names_file,
			},
		.found = on_found,
		.said = on_said,
		.started = on_started,
		.replaced = enforcing_on_replaced,
		.context = enforcing,
	};

	config.gate.rules.user_id = user_id;
	(void)snprintf(enforcing->names_file, sizeof(enforcing->names_file), "%s/names",
		       enforcing->config->state);
	return gate_keeper_new(enforcing->loop, &config, &enforcing->gate, error);
}

/* What a predecessor had applied in another way than ours is in the way of nobody but users. */
static void clear_other_backend(struct enforcing *enforcing)
{
	const struct backend_type *const types[] = {&backend_nftables, &backend_iptables};
	struct error error = {0};

	if (!instance_had_rules(enforcing->instance))
		return;
	for (size_t i = 0; i < array_length(types); i++)
		if (types[i] != enforcing->backend && types[i]->clear(&error) < 0)
			enforcing_say(enforcing, EVENT_RULES,
				      "rules that were left by another run stay: %s",
				      error.message);
}

/* Programs alone: what a killed supervisor left of rules has nobody to look after it. */
static int clear_leftovers(struct enforcing *enforcing, struct error *error)
{
	int result;

	if (!instance_had_rules(enforcing->instance))
		return 0;
	result = backend_clear_all(error);
	if (result < 0)
		return error_prefix(error, "rules that were left cannot be removed");
	instance_note_rules(enforcing->instance, false);
	enforcing_say(enforcing, EVENT_RULES,
		      "the rules that an earlier run left were removed (--programs-only)");
	return 0;
}

int enforcing_choose_backend(struct enforcing *enforcing, struct error *error)
{
	int result;

	if (!enforcing_holds_network(enforcing))
		return 0;
	result = backend_choose(enforcing->config->network.backend, &enforcing->backend, error);
	return result < 0 ? error_prefix(error,
					 "connections cannot be held to the profile "
					 "('rtguard doctor' says what is missing; --programs-only "
					 "goes on with programs alone)")
			  : 0;
}

int enforcing_start_rules(struct enforcing *enforcing, struct error *error)
{
	int result;

	if (!enforcing_holds_network(enforcing))
		return clear_leftovers(enforcing, error);
	result = start_gate(enforcing, error);
	if (result == 0)
		result = gate_keeper_apply_first(enforcing->gate, enforcing->policy->network,
						 enforcing->mode == GUARD_AUDIT, error);
	if (result < 0)
		return error_prefix(error, "the rules for connections are refused "
					   "(--programs-only goes on with programs alone)");
	enforcing->has_rules = true;
	instance_note_rules(enforcing->instance, true);
	clear_other_backend(enforcing);
	return 0;
}

static int clear(struct enforcing *enforcing, struct error *error)
{
	int result = gate_keeper_clear(enforcing->gate, error);

	if (result < 0)
		result = backend_clear_all(error);
	if (result == 0)
		instance_note_rules(enforcing->instance, false);
	return result;
}

int enforcing_end_rules(struct enforcing *enforcing, struct error *error)
{
	/* a start that fails leaves what was there before: nothing, or an earlier run's rules */
	bool leaves = !enforcing->is_stopping && instance_had_rules(enforcing->instance);
	int result = 0;

	if (enforcing->gate && enforcing->has_rules && !leaves)
		result = clear(enforcing, error);
	gate_keeper_free(enforcing->gate);
	enforcing->gate = NULL;
	return result;
}
