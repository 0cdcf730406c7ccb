/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this host's processes and sockets show, into the tables. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "learn/learner_private.h"

static void program_key(struct key *key, const struct observed_execution *execution)
{
	key_start(key);
	key_string(key, execution->path);
	key_sha256(key, execution->sha256);
}

static void take_program_string(struct learner *learner, enum table table,
				const struct observed_execution *execution, uint64_t time_ns,
				const char *string)
{
	if (!string)
		return;
	program_key(&learner->key, execution);
	key_string(&learner->key, string);
	state_note(learner->state, table, &learner->key, time_ns, NULL);
}

/* What a profile could not hold exactly is not listed: it must not be listed as something else. */
static bool may_list(const char *argument)
{
	size_t length = strlen(argument);

	return length <= PROFILE_STRING_LIMIT && utf8_is_valid(argument, length);
}

/* The vector of a run: of a multi-call binary the name it was called by, then its arguments. */
static void take_arguments(struct learner *learner, const struct observed_execution *execution,
			   struct program_value *program, uint64_t time_ns)
{
	struct key *key = &learner->key;
	bool listed = true;
	bool is_new;

	if (!execution->arguments) {
		program->arguments_unknown++;
		return;
	}
	program_key(key, execution);
	if (execution->applet) {
		key_string(key, execution->applet);
		listed = may_list(execution->applet);
	}
	for (size_t i = 0; execution->arguments[i]; i++) {
		key_string(key, execution->arguments[i]);
		listed &= may_list(execution->arguments[i]);
	}
	if (!listed || key->overflow ||
	    (program->arguments >= PROGRAM_ARGUMENT_LIMIT &&
	     !state_find(learner->state, TABLE_ARGUMENTS, key))) {
		program->arguments_not_listed++;
		return;
	}
	if (state_note(learner->state, TABLE_ARGUMENTS, key, time_ns, &is_new) && is_new)
		program->arguments++;
}

void take_execution(struct learner *learner, const struct observation *observation)
{
	const struct observed_execution *execution = &observation->execution;
	uint64_t time_ns = observation->time_ns;
	struct program_value *program;
	bool is_new;

	if (!execution->path)
		return;
	program_key(&learner->key, execution);
	program = state_note(learner->state, TABLE_PROGRAMS, &learner->key, time_ns, &is_new);
	if (!program)
		return;
	program->phase |=
		execution->boot_age_ns < learner->boot_phase_ns ? PHASE_BOOT : PHASE_STEADY;
	if (execution->pins_arguments)
		program->pins_arguments = 1;
	if (execution->reads_watched)
		program->reads_watched = 1;
	learner_count(learner, NOVELTY_PROGRAMS, &program->seen, is_new, time_ns, "program %s",
		      execution->path);
	take_program_string(learner, TABLE_USERS, execution, time_ns, execution->user);
	take_program_string(learner, TABLE_PARENTS, execution, time_ns, execution->parent);
	if (execution->pins_arguments)
		take_arguments(learner, execution, program, time_ns);
	if (!execution->sha256) {
		key_start(&learner->key);
		key_string(&learner->key, execution->path);
		key_string(&learner->key,
			   execution->unreadable ? execution->unreadable : "could not be read");
		state_note(learner->state, TABLE_UNREADABLE, &learner->key, time_ns, NULL);
	}
}

void take_script(struct learner *learner, const struct observation *observation)
{
	if (!observation->script.path)
		return;
	key_start(&learner->key);
	key_string(&learner->key, observation->script.path);
	key_sha256(&learner->key, observation->script.sha256);
	key_string(&learner->key, observation->script.interpreter);
	state_note(learner->state, TABLE_SCRIPTS, &learner->key, observation->time_ns, NULL);
}

void take_library(struct learner *learner, const struct observation *observation)
{
	if (!observation->library.path)
		return;
	key_start(&learner->key);
	key_string(&learner->key, observation->library.path);
	key_sha256(&learner->key, observation->library.sha256);
	state_note(learner->state, TABLE_LIBRARIES, &learner->key, observation->time_ns, NULL);
}

void take_listener(struct learner *learner, const struct observation *observation)
{
	const struct observed_listener *listener = &observation->listener;
	struct listener_value *value;
	char address[IP_TEXT_SIZE];
	char protocol[PROTOCOL_TEXT_SIZE];
	bool is_new;

	key_start(&learner->key);
	key_mac(&learner->key, &observation->station.mac);
	key_number(&learner->key, listener->protocol, 1);
	key_number(&learner->key, listener->dual_stack, 1);
	key_number(&learner->key, listener->port, 2);
	key_address(&learner->key, &listener->address);
	key_string(&learner->key, listener->program);
	value = state_note(learner->state, TABLE_LISTENERS, &learner->key, observation->time_ns,
			   &is_new);
	if (!value)
		return;
	ip_format(&listener->address, address);
	protocol_format(listener->protocol, protocol);
	learner_count(learner, NOVELTY_LISTENERS, &value->seen, is_new, observation->time_ns,
		      "listener %s %s %u %s", protocol, address, listener->port,
		      listener->program ? listener->program : "");
}

void take_loss(struct learner *learner, const struct observation *observation)
{
	const uint64_t counters[] = {
		[LOSS_SEEN] = observation->loss.seen,
		[LOSS_LOST] = observation->loss.lost,
	};
	char which[96];

	snprintf(which, sizeof(which), COUNTER_LOSS "%s",
		 observation->loss.source ? observation->loss.source : "events");
	take_counters(learner, observation->time_ns, which, counters, 2);
}
