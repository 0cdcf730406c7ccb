/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From one mode to another, from one policy to the next. */
#include "daemon/enforcing_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "control/protocol.h"

#define UNCONFIRMED_RETRY_NS (5 * NS_PER_S)

const char *enforcing_mode_text(enum guard_mode mode)
{
	return mode == GUARD_ENFORCE ? "enforces" : "only reports (audit)";
}

static void forget_confirmation(struct enforcing *enforcing)
{
	loop_remove(enforcing->confirm_timer);
	enforcing->confirm_timer = NULL;
	enforcing->confirm_until_ns = 0;
}

static bool is_changing(const struct enforcing *enforcing)
{
	return enforcing->loading || enforcing->candidate || enforcing->retiring ||
	       enforcing->is_changing_mode;
}

/* Guard and sweeper; the rules are of that mode already. */
static int change_programs(struct enforcing *enforcing, enum guard_mode mode, struct error *error)
{
	struct guard_keeper *next = NULL;
	int result = 0;

	if (enforcing->guard) {
		result = enforcing_make_guard(enforcing, mode, -1, -1, &next, error);
		if (result == 0)
			result = enforcing_cover(enforcing, next, error);
	}
	if (result < 0) {
		guard_keeper_free(next);
		return result;
	}
	guard_keeper_free(enforcing->guard);
	enforcing->guard = next;
	enforcing->mode = mode;
	enforcing->mode_since_ns = clock_realtime_ns();
	forget_confirmation(enforcing);
	enforcing_note_instance(enforcing);
	if (enforcing->sweeper)
		sweeper_keeper_change(enforcing->sweeper, mode == GUARD_AUDIT,
				      enforcing->policy->policy);
	enforcing_say(enforcing, EVENT_MODE, "rtguard %s from now on: %s",
		      enforcing_mode_text(mode), enforcing->mode_why);
	return 0;
}

static void answer_mode(struct enforcing *enforcing, json_t *answer)
{
	if (enforcing->mode_peer)
		(void)control_answer(enforcing->mode_peer, answer);
	else
		json_decref(answer);
	enforcing->mode_peer = NULL;
}

static void on_rules_back(void *context, int result, const char *why)
{
	if (result < 0)
		enforcing_say(context, EVENT_RULES,
			      "the rules for connections cannot be changed back: %s", why);
}

/* The programs could not follow: the rules go back to where those stayed. */
static void take_rules_back(struct enforcing *enforcing)
{
	(void)gate_keeper_apply(enforcing->gate, enforcing->policy->network,
				enforcing->mode == GUARD_AUDIT, on_rules_back);
}

static void on_rules_of_mode(void *context, int result, const char *why)
{
	struct enforcing *enforcing = context;
	struct error error = {0};

	enforcing->is_changing_mode = false;
	if (result < 0) {
		(void)error_set(&error, -result, "the rules for connections are refused: %s", why);
	} else {
		result = change_programs(enforcing, enforcing->next_mode, &error);
		if (result < 0)
			take_rules_back(enforcing);
	}
	if (result < 0)
		enforcing_say(enforcing, EVENT_MODE, "rtguard cannot change to %s: %s",
			      enforcing->next_mode == GUARD_AUDIT ? MODE_AUDIT : MODE_ENFORCE,
			      error.message);
	answer_mode(enforcing, result < 0 ? control_error("%s", error.message) : control_ok());
}

int enforcing_change_mode(struct enforcing *enforcing, enum guard_mode mode, const char *why,
			  struct control_peer *peer, struct error *error)
{
	int result;

	if (is_changing(enforcing))
		return error_set(error, EBUSY,
				 "a profile is being loaded, or the mode changed; try again in a "
				 "moment");
	if (mode == enforcing->mode)
		return 0;
	(void)snprintf(enforcing->mode_why, sizeof(enforcing->mode_why), "%s", why);
	if (!enforcing->gate)
		return change_programs(enforcing, mode, error);
	result = gate_keeper_apply(enforcing->gate, enforcing->policy->network, mode == GUARD_AUDIT,
				   on_rules_of_mode);
	if (result < 0)
		return error_set(error, -result,
				 "the rules are being changed; try again in a "
				 "moment");
	enforcing->is_changing_mode = true;
	enforcing->next_mode = mode;
	enforcing->mode_peer = peer;
	return 1;
}

/* Until it is audit: whoever did not confirm may be locked out. */
void enforcing_on_unconfirmed(void *context)
{
	struct enforcing *enforcing = context;
	struct error error = {0};

	loop_remove(enforcing->confirm_timer);
	enforcing->confirm_timer = NULL;
	(void)loop_add_timer(enforcing->loop, UNCONFIRMED_RETRY_NS, enforcing_on_unconfirmed,
			     enforcing, &enforcing->confirm_timer);
	if (enforcing->is_changing_mode)
		return;
	if (enforcing_change_mode(enforcing, GUARD_AUDIT, "nobody confirmed it in time", NULL,
				  &error) < 0)
		enforcing_say(enforcing, EVENT_MODE, "cannot go back to audit yet: %s",
			      error.message);
}

void enforcing_confirm(struct enforcing *enforcing)
{
	forget_confirmation(enforcing);
	enforcing_say(enforcing, EVENT_MODE, "enforcement was confirmed and stays");
}

static void answer_reload(struct enforcing *enforcing, json_t *answer)
{
	if (enforcing->reload_peer)
		(void)control_answer(enforcing->reload_peer, answer);
	else
		json_decref(answer);
	enforcing->reload_peer = NULL;
}

/* Nobody works by the old policy any more. */
static void on_policy_in_force(void *context)
{
	struct enforcing *enforcing = context;

	policy_free(enforcing->retiring);
	enforcing->retiring = NULL;
	if (enforcing->sweeper)
		sweeper_keeper_change(enforcing->sweeper, enforcing->mode == GUARD_AUDIT,
				      enforcing->policy->policy);
	enforcing_say(enforcing, EVENT_PROFILE_LOADED, "%s is in force",
		      enforcing->policy->summary.profile);
	answer_reload(enforcing, json_pack("{s:b, s:o}", "ok", 1, "profile",
					   enforcing_profile_json(enforcing)));
}

static void refuse_reload(struct enforcing *enforcing, const char *why)
{
	enforcing_say(enforcing, EVENT_PROFILE_REFUSED,
		      "the new profile was refused, the old one stays in force: %s", why);
	answer_reload(enforcing, control_error("%s", why));
}

/* The rules are of the new profile; the programs follow. */
static void retire_policy(struct enforcing *enforcing, struct loaded_policy *next)
{
	struct policy_source source = enforcing->config->source;

	enforcing->retiring = enforcing->policy;
	enforcing->policy = next;
	policy_note_version(&source, &next->summary);
	if (enforcing->guard)
		guard_keeper_set_policy(enforcing->guard, next, on_policy_in_force);
	else
		on_policy_in_force(enforcing);
}

static void on_rules_of_profile(void *context, int result, const char *why)
{
	struct enforcing *enforcing = context;
	struct loaded_policy *next = enforcing->candidate;

	enforcing->candidate = NULL;
	if (result == 0) {
		retire_policy(enforcing, next);
		return;
	}
	policy_free(next);
	refuse_reload(enforcing, why);
}

static void on_policy_loaded(void *context, struct loaded_policy *policy, const struct error *error)
{
	struct enforcing *enforcing = context;

	enforcing->loading = NULL;
	if (!policy) {
		refuse_reload(enforcing, error->message);
	} else if (!enforcing->gate) {
		retire_policy(enforcing, policy);
	} else if (gate_keeper_apply(enforcing->gate, policy->network,
				     enforcing->mode == GUARD_AUDIT, on_rules_of_profile) == 0) {
		enforcing->candidate = policy;
	} else {
		policy_free(policy);
		refuse_reload(enforcing, "the rules are being changed; try again in a moment");
	}
}

int enforcing_reload(struct enforcing *enforcing, const char *path, struct control_peer *peer,
		     struct error *error)
{
	struct policy_source source = enforcing->config->source;
	int result;

	if (is_changing(enforcing))
		return error_set(error, EBUSY,
				 "a profile is being loaded already, or the mode changed");
	(void)snprintf(enforcing->reload_path, sizeof(enforcing->reload_path), "%s",
		       path ? path : enforcing->policy->summary.profile);
	source.profile = enforcing->reload_path;
	result = policy_load_begin(enforcing->loop, &source, on_policy_loaded, enforcing,
				   &enforcing->loading);
	if (result < 0)
		return error_set(error, -result, "cannot start loading: %s", strerror(-result));
	enforcing->reload_peer = peer;
	return 0;
}
