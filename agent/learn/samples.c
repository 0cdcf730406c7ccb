/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which sample a moment belongs to: the unit in which generalising counts what is new. */
#include "base/clock.h"
#include "learn/learner_private.h"

#define WINDOW_NS (3600 * NS_PER_S)

/* Bits of a window's number below its segment's: 2^20 hours are more than a century. */
#define WINDOW_BITS 20

static struct samples_value *take_samples(struct learner *learner)
{
	key_start(&learner->other_key);
	return state_take(learner->state, TABLE_SAMPLES, &learner->other_key, NULL);
}

void samples_note_time(struct learner *learner, uint64_t time_ns)
{
	bool outside = time_ns > learner->sample_last_ns || time_ns < learner->sample_first_ns;

	if (learner->sample_ends && outside) {
		learner->sample_ends = false;
		samples_next_segment(learner);
		learner->sample_last_ns = 0;
	}
	if (learner->sample_last_ns == 0 || time_ns < learner->sample_first_ns)
		learner->sample_first_ns = time_ns;
	if (time_ns > learner->sample_last_ns)
		learner->sample_last_ns = time_ns;
}

void samples_next_segment(struct learner *learner)
{
	struct samples_value *samples = take_samples(learner);

	/* A segment in which nothing was seen is none. */
	if (!samples || samples->segment_start_ns == 0)
		return;
	samples->segment++;
	samples->segment_start_ns = 0;
}

/* Which bit each of the old samples becomes, windows doubled once more. */
static void double_windows(struct samples_value *samples, uint8_t remap[SAMPLE_LIMIT])
{
	uint32_t kept = 0;

	samples->level++;
	for (uint32_t i = 0; i < samples->count; i++) {
		uint64_t window = samples->windows[i] >> 1;
		uint32_t same = 0;

		while (same < kept && samples->windows[same] != window)
			same++;
		samples->windows[same] = window;
		remap[i] = (uint8_t)same;
		if (same == kept)
			kept++;
	}
	samples->count = kept;
}

static uint64_t remap_bits(uint64_t bits, const uint8_t remap[SAMPLE_LIMIT])
{
	uint64_t mapped = 0;

	for (int i = 0; i < SAMPLE_LIMIT; i++)
		if (bits >> i & 1)
			mapped |= UINT64_C(1) << remap[i];
	return mapped;
}

static void fall_together(struct learner *learner, struct samples_value *samples)
{
	uint8_t remap[SAMPLE_LIMIT] = {0};
	struct contact_value *contact = NULL;
	struct service_value *service = NULL;

	double_windows(samples, remap);
	while ((contact = state_next(learner->state, TABLE_CONTACTS, contact))) {
		contact->samples = remap_bits(contact->samples, remap);
		state_changed(learner->state, TABLE_CONTACTS, contact);
	}
	while ((service = state_next(learner->state, TABLE_SERVICES, service))) {
		service->samples = remap_bits(service->samples, remap);
		state_changed(learner->state, TABLE_SERVICES, service);
	}
}

uint64_t samples_at(struct learner *learner, uint64_t time_ns)
{
	struct samples_value *samples;
	uint64_t number, window;

	key_start(&learner->other_key);
	samples = state_find(learner->state, TABLE_SAMPLES, &learner->other_key);
	if (!samples || samples->segment_start_ns == 0) {
		samples = take_samples(learner);
		if (!samples)
			return 1;
		samples->segment_start_ns = time_ns ? time_ns : 1;
	}
	/* Before its beginning: the clock was set back; still this segment. */
	number = time_ns > samples->segment_start_ns
			 ? (time_ns - samples->segment_start_ns) / WINDOW_NS
			 : 0;
	number |= (uint64_t)samples->segment << WINDOW_BITS;
	for (;;) {
		window = number >> samples->level;
		for (uint32_t i = 0; i < samples->count; i++)
			if (samples->windows[i] == window)
				return UINT64_C(1) << i;
		if (samples->count < SAMPLE_LIMIT)
			break;
		if (samples->level >= 63)
			return 1;
		fall_together(learner, samples);
	}
	state_changed(learner->state, TABLE_SAMPLES, samples);
	samples->windows[samples->count] = window;
	return UINT64_C(1) << samples->count++;
}
