/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "gate/gate_private.h"
#include "profiles/known_addresses.h"

/* What is to take the place of what is in force. */
struct successor {
	struct rule_program *program;
	struct verdict *verdict;
	struct string_list local_names;
};

static void successor_clear(struct successor *successor)
{
	rule_program_free(successor->program);
	verdict_free(successor->verdict);
	string_list_free(&successor->local_names);
}

static int add_local_name(void *context, const char *name, const struct ip_address *address)
{
	struct string_list *names = context;

	if (!ip_is_local_network(address) ||
	    (names->count && strcmp(names->items[names->count - 1], name) == 0))
		return 0;
	return string_list_add(names, name);
}

static void tell_role(struct verdict *verdict, enum peer_role role,
		      const struct ip_address *addresses, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct observation observation = {
			.kind = OBSERVATION_ROLE,
			.role = {.address = addresses[i], .role = (uint8_t)role, .announced = true},
		};

		verdict_observe(verdict, &observation);
	}
}

/* The verdict knows of the network around what the rules know. */
static int tell_surroundings(struct verdict *verdict, const struct rules_surroundings *around)
{
	if (!around || !around->known)
		return 0;
	tell_role(verdict, PEER_ROLE_RESOLVER, around->resolvers, around->resolver_count);
	tell_role(verdict, PEER_ROLE_GATEWAY, around->gateways, around->gateway_count);
	for (size_t i = 0; i < around->on_link_count; i++)
		if (verdict_add_link(verdict, &around->on_link[i].address,
				     around->on_link[i].prefix_length) < 0)
			return -ENOMEM;
	return 0;
}

static int prepare(struct gate *gate, const struct profile *profile,
		   const struct rules_options *options, struct successor *successor,
		   struct error *error)
{
	const struct rules_surroundings *around =
		gate->surroundings ? surroundings_now(gate->surroundings) : NULL;
	int result = rules_compile(profile, options, around, &successor->program, error);

	if (result < 0)
		return result;
	result = verdict_new(profile, &profile->network, &successor->verdict);
	if (result == 0)
		result = tell_surroundings(successor->verdict, around);
	if (result == 0)
		result = known_addresses_each(profile, add_local_name, &successor->local_names);
	if (result == 0)
		result = gate_sets_fill(gate, successor->program, successor->verdict);
	return result < 0 ? error_set(error, -result, "out of memory") : 0;
}

static int open_backend(struct gate *gate, struct error *error)
{
	int result;

	if (gate->backend)
		return 0;
	if (!gate->kernel.backend) {
		result = backend_choose(gate->config->backend, &gate->kernel.backend, error);
		if (result < 0)
			return result;
	}
	return gate->kernel.backend->open(&gate->backend, error);
}

static void put_into_force(struct gate *gate, struct successor *successor,
			   const struct rules_options *options)
{
	struct successor before = {gate->program, gate->verdict, gate->local_names};

	gate->program = successor->program;
	gate->verdict = successor->verdict;
	gate->local_names = successor->local_names;
	gate->options = *options;
	gate->again = false;
	gate_deadlines_begin(gate);
	successor_clear(&before);
	*successor = (struct successor){0};
}

static int apply(struct gate *gate, const struct profile *profile, bool report_only,
		 struct error *error)
{
	_cleanup_(successor_clear) struct successor successor = {0};
	struct rules_options options = gate->options;
	struct error pruning = {0};
	int result;

	options.report_only = report_only;
	result = prepare(gate, profile, &options, &successor, error);
	if (result == 0)
		result = open_backend(gate, error);
	/* whoever looks at what is held is there before anything is held */
	if (result == 0)
		result = gate_listen(gate, error);
	if (result == 0)
		result = gate->kernel.backend->apply(gate->backend, successor.program, error);
	if (result < 0) {
		/* without a program nothing could be answered */
		if (!gate->program)
			gate_stop_listening(gate);
		return result;
	}
	put_into_force(gate, &successor, &options);
	if (!report_only && gate_prune(gate, &pruning) < 0)
		gate_say(gate, "connections from before the rules could not be looked at: %s",
			 pruning.message);
	return 0;
}

int gate_apply_profile(struct gate *gate, struct profile *profile, bool report_only,
		       struct error *error)
{
	int result = gate_sets_remember(gate, profile);

	if (result < 0)
		error_set(error, -result, "out of memory");
	else
		result = apply(gate, profile, report_only, error);
	if (result < 0) {
		profile_free(profile);
		return result;
	}
	profile_free(gate->profile);
	gate->profile = profile;
	memory_give_back();
	return 0;
}

int gate_apply_again(struct gate *gate, bool report_only, struct error *error)
{
	if (!gate->profile)
		return error_set(error, ENODATA, "there is no profile yet");
	return apply(gate, gate->profile, report_only, error);
}
