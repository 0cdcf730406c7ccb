/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_RULES_REPLAY_H
#define DAEMON_RULES_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "observe/observation.h"
#include "rules/compile.h"

/*
 * Compiled rules at work on what was recorded, without a kernel: sets are filled by the answers of
 * the recording, as the gate fills them, and each flow is judged at its first packet, by what was
 * in the sets then.
 */
struct rules_replay;

/* Borrows the profile. Begins with what the profile's evidence remembers of names. */
int rules_replay_new(const struct profile *profile, const struct rules_options *options,
		     struct rules_replay **ret_replay, struct error *error);
void rules_replay_free(struct rules_replay *replay);

/* Takes in START, NAME, ROLE; whoever delivers a CONNECTION asks about it afterwards. */
void rules_replay_observe(struct rules_replay *replay, const struct observation *observation);

/* Whether the first packet of the flow, which was observed, would have passed. */
bool rules_replay_permits(struct rules_replay *replay, const struct observed_flow *flow);

#endif
