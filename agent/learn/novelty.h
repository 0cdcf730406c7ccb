/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LEARN_NOVELTY_H
#define LEARN_NOVELTY_H

#include <stdbool.h>
#include <stdint.h>

#include "learn/learner.h"
#include "learn/state.h"

/* How much of what there is to see has been seen. docs/learning.md explains estimate and stop rule.
 */

/* One more sighting of an entry that was seen count times before. */
void novelty_add(struct novelty *novelty, uint64_t count_before, uint64_t time_ns);

/* From the entries of a table, as after loading them. */
void novelty_recount(struct novelty *novelty, const struct state *state, enum table table);

/* Good–Turing: the chance that the next observation is of something new; 1 while there are none. */
double novelty_unseen_probability(uint64_t observations, uint64_t seen_once);

/* Whether this class has settled: enough observations, a small estimate, and quiet. */
bool novelty_is_settled(const struct novelty *novelty, uint64_t now_ns, uint64_t quiet_ns);

/* Whether the last new entry is at least quiet_ns ago, or there was none. */
bool novelty_is_quiet(const struct novelty *novelty, uint64_t now_ns, uint64_t quiet_ns);

/* Notes that there are distinct entries when elapsed_ns have passed; halves the resolution when the
 * points are used up. */
void curve_add(struct curve_value *curve, uint64_t elapsed_ns, uint64_t distinct);

#endif
