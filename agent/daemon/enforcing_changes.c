/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From one mode to another, from one policy to the next. */
#include "daemon/enforcing_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "control/protocol.h"

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

int enforcing_change_mode(struct enforcing *enforcing, enum guard_mode mode, const char *why,
			  struct error *error)
{
	struct guard_keeper *next = NULL;
	int result = 0;

	if (mode == enforcing->mode)
		return 0;
	if (enforcing->loading || enforcing->retiring)
		return error_set(error, EBUSY, "a profile is being loaded; try again in a moment");
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
	sweeper_keeper_change(enforcing->sweeper, mode == GUARD_AUDIT, enforcing->policy->policy);
	enforcing_say(enforcing, EVENT_MODE, "rtguard %s from now on: %s",
		      enforcing_mode_text(mode), why);
	return 0;
}

void enforcing_on_unconfirmed(void *context)
{
	struct enforcing *enforcing = context;
	struct error error = {0};

	if (enforcing_change_mode(enforcing, GUARD_AUDIT, "nobody confirmed it in time", &error) <
	    0)
		enforcing_say(enforcing, EVENT_MODE, "cannot go back to audit: %s", error.message);
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
	sweeper_keeper_change(enforcing->sweeper, enforcing->mode == GUARD_AUDIT,
			      enforcing->policy->policy);
	enforcing_say(enforcing, EVENT_PROFILE_LOADED, "%s is in force",
		      enforcing->policy->summary.profile);
	answer_reload(enforcing, json_pack("{s:b, s:o}", "ok", 1, "profile",
					   enforcing_profile_json(enforcing)));
}

static void on_policy_loaded(void *context, struct loaded_policy *policy, const struct error *error)
{
	struct enforcing *enforcing = context;
	struct policy_source source = enforcing->config->source;

	enforcing->loading = NULL;
	if (!policy) {
		enforcing_say(enforcing, EVENT_PROFILE_REFUSED,
			      "the new profile was refused, the old one stays in force: %s",
			      error->message);
		answer_reload(enforcing, control_error("%s", error->message));
		return;
	}
	enforcing->retiring = enforcing->policy;
	enforcing->policy = policy;
	policy_note_version(&source, &policy->summary);
	if (enforcing->guard)
		guard_keeper_set_policy(enforcing->guard, policy, on_policy_in_force);
	else
		on_policy_in_force(enforcing);
}

int enforcing_reload(struct enforcing *enforcing, const char *path, struct control_peer *peer,
		     struct error *error)
{
	struct policy_source source = enforcing->config->source;
	int result;

	if (enforcing->loading || enforcing->retiring)
		return error_set(error, EBUSY, "a profile is being loaded already");
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
