/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "learn/novelty.h"

#include "base/clock.h"

/* The stop rule's numbers, see docs/learning.md. */
#define SETTLED_PROBABILITY  0.01
#define SETTLED_OBSERVATIONS 100

/* First resolution of a curve; 64 points of it are about a minute. */
#define CURVE_RESOLUTION NS_PER_S

double novelty_unseen_probability(uint64_t observations, uint64_t seen_once)
{
	return observations ? (double)seen_once / (double)observations : 1.0;
}

void novelty_add(struct novelty *novelty, uint64_t count_before, uint64_t time_ns)
{
	novelty->observations++;
	if (count_before == 0) {
		novelty->distinct++;
		novelty->seen_once++;
		if (time_ns > novelty->last_new_ns)
			novelty->last_new_ns = time_ns;
	} else if (count_before == 1 && novelty->seen_once > 0) {
		novelty->seen_once--;
	}
	novelty->unseen_probability =
		novelty_unseen_probability(novelty->observations, novelty->seen_once);
}

void novelty_recount(struct novelty *novelty, const struct state *state, enum table table)
{
	*novelty = (struct novelty){0};
	for (const struct seen *seen = state_next(state, table, NULL); seen;
	     seen = state_next(state, table, seen)) {
		if (seen->count == 0)
			continue;
		novelty->observations += seen->count;
		novelty->distinct++;
		novelty->seen_once += seen->count == 1;
		if (seen->first_ns > novelty->last_new_ns)
			novelty->last_new_ns = seen->first_ns;
	}
	novelty->unseen_probability =
		novelty_unseen_probability(novelty->observations, novelty->seen_once);
}

bool novelty_is_quiet(const struct novelty *novelty, uint64_t now_ns, uint64_t quiet_ns)
{
	return novelty->last_new_ns <= now_ns && now_ns - novelty->last_new_ns >= quiet_ns;
}

bool novelty_is_settled(const struct novelty *novelty, uint64_t now_ns, uint64_t quiet_ns)
{
	return novelty_is_quiet(novelty, now_ns, quiet_ns) &&
	       novelty->observations >= SETTLED_OBSERVATIONS &&
	       novelty->unseen_probability < SETTLED_PROBABILITY;
}

static void halve(struct curve_value *curve)
{
	for (int i = 0; i < CURVE_POINTS / 2; i++) {
		uint32_t later = curve->points[2 * i + 1];

		curve->points[i] = later ? later : curve->points[2 * i];
	}
	for (int i = CURVE_POINTS / 2; i < CURVE_POINTS; i++)
		curve->points[i] = 0;
	curve->resolution_ns *= 2;
}

void curve_add(struct curve_value *curve, uint64_t elapsed_ns, uint64_t distinct)
{
	uint32_t *point;

	if (curve->resolution_ns == 0)
		curve->resolution_ns = CURVE_RESOLUTION;
	while (elapsed_ns / curve->resolution_ns >= CURVE_POINTS &&
	       curve->resolution_ns < UINT64_MAX / 2)
		halve(curve);
	if (elapsed_ns / curve->resolution_ns >= CURVE_POINTS)
		return;
	point = &curve->points[elapsed_ns / curve->resolution_ns];
	if (distinct > *point)
		*point = distinct < UINT32_MAX ? (uint32_t)distinct : UINT32_MAX;
}
