/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "learn/learner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "learn/learner_private.h"

#define ATTRIBUTION_LIMIT 4096

/* An idle station's journal is not woken up more often than this to say that time has passed. */
#define CYCLE_SAVE_NS (60 * NS_PER_S)

/* Between two counts of entries, at least. */
#define RECOUNT_NS (10 * NS_PER_S)

const char *const novelty_class_names[NOVELTY_CLASSES] = {
	[NOVELTY_PROGRAMS] = "programs",
	[NOVELTY_LISTENERS] = "listeners",
	[NOVELTY_CONNECTIONS] = "connections",
	[NOVELTY_NAMES] = "names",
};

static void free_attribution(void *value, void *context)
{
	(void)context;
	free(((struct attribution *)value)->program);
}

static void read_boot_id(char boot_id[40])
{
	_cleanup_(closep) int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd >= 0 ? read(fd, boot_id, 39) : 0;

	boot_id[size > 0 ? size : 0] = '\0';
	boot_id[strcspn(boot_id, "\n")] = '\0';
}

static void sum_up_earlier_cycles(struct learner *learner)
{
	for (const struct cycle_value *cycle = state_next(learner->state, TABLE_CYCLES, NULL);
	     cycle; cycle = state_next(learner->state, TABLE_CYCLES, cycle))
		learner->elapsed_before_ns += cycle->elapsed_ns;
}

static void count_again(struct learner *learner)
{
	novelty_recount(&learner->novelty[NOVELTY_PROGRAMS], learner->state, TABLE_PROGRAMS);
	novelty_recount(&learner->novelty[NOVELTY_LISTENERS], learner->state,
			learner->recorded ? TABLE_SERVICES : TABLE_LISTENERS);
	novelty_recount(&learner->novelty[NOVELTY_CONNECTIONS], learner->state, TABLE_CONTACTS);
	novelty_recount(&learner->novelty[NOVELTY_NAMES], learner->state, TABLE_NAMES);
}

static void evicted_key(struct key *key, enum table table)
{
	char which[64];

	snprintf(which, sizeof(which), COUNTER_EVICTED "%s", state_tables[table].name);
	key_start(key);
	key_string(key, which);
}

/* What made room stays missing: the profile that comes of it is never complete. */
static void save_evicted(struct learner *learner)
{
	for (enum table table = 0; table < TABLE_COUNT; table++) {
		uint64_t evicted = state_evicted(learner->state, table);
		struct counter_value *value;

		if (evicted == 0)
			continue;
		evicted_key(&learner->key, table);
		value = state_find(learner->state, TABLE_COUNTERS, &learner->key);
		if (value && value->now[0] == evicted)
			continue;
		value = state_take(learner->state, TABLE_COUNTERS, &learner->key, NULL);
		if (value)
			value->now[0] = evicted;
	}
}

/* Loading may let go of what had made room before: that is not lost twice. */
static void restore_evicted(struct learner *learner)
{
	for (enum table table = 0; table < TABLE_COUNT; table++) {
		const struct counter_value *value;

		evicted_key(&learner->key, table);
		value = state_find(learner->state, TABLE_COUNTERS, &learner->key);
		if (value)
			state_set_evicted(learner->state, table, value->now[0]);
	}
}

static bool counts_evicted(const struct counter_value *value)
{
	struct key_reader reader = state_key(value);
	struct key_text which = key_read_text(&reader);

	return which.size > strlen(COUNTER_EVICTED) &&
	       memcmp(which.bytes, COUNTER_EVICTED, strlen(COUNTER_EVICTED)) == 0;
}

/* Counters of the capture and event sources that wrote the journal begin anew with this process. */
static void close_counters(struct learner *learner)
{
	for (struct counter_value *value = state_next(learner->state, TABLE_COUNTERS, NULL); value;
	     value = state_next(learner->state, TABLE_COUNTERS, value)) {
		if (counts_evicted(value))
			continue;
		for (size_t i = 0; i < array_length(value->now); i++) {
			value->done[i] += value->now[i];
			value->now[i] = 0;
		}
		state_changed(learner->state, TABLE_COUNTERS, value);
	}
}

static int start(struct learner *learner, const struct learner_config *config, struct error *error)
{
	int result = state_new(&learner->state);

	if (result == 0)
		result = map_new(&learner->attributions, ATTRIBUTION_LIMIT,
				 sizeof(struct attribution), free_attribution, NULL);
	if (result < 0)
		return error_set(error, -result, "out of memory");
	if (!config->journal)
		return 0;
	result = journal_open(config->journal, config->resume, learner->state, &learner->journal,
			      error);
	if (result < 0)
		return result;
	if (journal_dropped(learner->journal) > 0)
		snprintf(learner->note, sizeof(learner->note),
			 "the journal's last %llu bytes were cut short and are left out",
			 (unsigned long long)journal_dropped(learner->journal));
	sum_up_earlier_cycles(learner);
	count_again(learner);
	restore_evicted(learner);
	close_counters(learner);
	samples_next_segment(learner);
	return 0;
}

int learner_new(const struct learner_config *config, struct learner **ret_learner,
		struct error *error)
{
	struct learner *learner = calloc(1, sizeof(*learner));
	int result;

	if (!learner)
		return error_set(error, ENOMEM, "out of memory");
	for (int i = 0; i < NOVELTY_CLASSES; i++)
		learner->novelty[i].unseen_probability = 1.0;
	learner->entries.unseen_probability = 1.0;
	learner->boot_phase_ns = config->boot_phase_ns;
	learner->recorded = config->recorded;
	learner->started_boottime_ns = clock_boottime_ns();
	learner->cycle_started_ns = clock_realtime_ns();
	if (!learner->recorded)
		read_boot_id(learner->boot_id);
	result = start(learner, config, error);
	if (result < 0) {
		learner_free(learner);
		return result;
	}
	*ret_learner = learner;
	return 0;
}

void learner_free(struct learner *learner)
{
	if (!learner)
		return;
	journal_close(learner->journal);
	map_free(learner->attributions);
	state_free(learner->state);
	free(learner);
}

const char *learner_note(const struct learner *learner)
{
	return learner->note[0] ? learner->note : NULL;
}

uint64_t learner_elapsed_ns(const struct learner *learner)
{
	uint64_t now = learner->recorded ? learner->recorded_elapsed_ns
					 : clock_boottime_ns() - learner->started_boottime_ns;

	return learner->elapsed_before_ns + now;
}

/* A recording's time is that of its packets; between two recordings none passes. */
static void advance_recorded(struct learner *learner, uint64_t time_ns)
{
	uint64_t last_ns = learner->recorded_last_ns;

	if (last_ns && time_ns > last_ns && time_ns - last_ns < 24 * 3600 * NS_PER_S)
		learner->recorded_elapsed_ns += time_ns - last_ns;
	learner->recorded_last_ns = time_ns;
}

void learner_observe(struct learner *learner, const struct observation *observation)
{
	static void (*const takers[])(struct learner *, const struct observation *) = {
		[OBSERVATION_CONNECTION] = take_connection,
		[OBSERVATION_SERVICE] = take_service,
		[OBSERVATION_NAME] = take_name,
		[OBSERVATION_ROLE] = take_role,
		[OBSERVATION_CAPTURE] = take_capture,
		[OBSERVATION_EXECUTION] = take_execution,
		[OBSERVATION_SCRIPT] = take_script,
		[OBSERVATION_LIBRARY] = take_library,
		[OBSERVATION_READ] = take_read,
		[OBSERVATION_LISTENER] = take_listener,
		[OBSERVATION_LOSS] = take_loss,
	};

	samples_note_time(learner, observation->time_ns);
	if (learner->recorded)
		advance_recorded(learner, observation->time_ns);
	if (observation->kind < array_length(takers) && takers[observation->kind])
		takers[observation->kind](learner, observation);
}

void learner_begin_sample(struct learner *learner)
{
	learner->sample_ends = true;
}

static void attribution_key(struct key *key, const struct station *station, uint64_t flow_id)
{
	key_start(key);
	key_mac(key, &station->mac);
	key_number(key, flow_id, 8);
}

void learner_attribute(struct learner *learner, const struct station *station, uint64_t flow_id,
		       const char *program, bool left_out)
{
	struct attribution *attribution;

	attribution_key(&learner->other_key, station, flow_id);
	attribution =
		map_add(learner->attributions, learner->other_key.bytes, learner->other_key.size);
	if (!attribution)
		return;
	free(attribution->program);
	attribution->program = program ? strdup(program) : NULL;
	attribution->left_out = left_out;
}

struct attribution *find_attribution(struct learner *learner, const struct station *station,
				     uint64_t flow_id)
{
	attribution_key(&learner->other_key, station, flow_id);
	return map_peek(learner->attributions, learner->other_key.bytes, learner->other_key.size);
}

void forget_attribution(struct learner *learner, struct attribution *attribution)
{
	map_remove_value(learner->attributions, attribution);
}

static void note_point(struct learner *learner, enum novelty_class class, uint64_t time_ns)
{
	struct curve_value *curve;

	key_start(&learner->other_key);
	key_string(&learner->other_key, novelty_class_names[class]);
	curve = state_note(learner->state, TABLE_CURVES, &learner->other_key, time_ns, NULL);
	if (curve)
		curve_add(curve, learner_elapsed_ns(learner), learner->novelty[class].distinct);
}

void learner_count(struct learner *learner, enum novelty_class class, const struct seen *seen,
		   bool is_new, uint64_t time_ns, const char *format, ...)
{
	va_list arguments;

	novelty_add(&learner->novelty[class], seen->count - 1, time_ns);
	if (!is_new)
		return;
	memmove(learner->newest[1], learner->newest[0],
		sizeof(learner->newest) - sizeof(learner->newest[0]));
	va_start(arguments, format);
	(void)vsnprintf(learner->newest[0], sizeof(learner->newest[0]), format, arguments);
	va_end(arguments);
	note_point(learner, class, time_ns);
}

void take_counters(struct learner *learner, uint64_t time_ns, const char *which,
		   const uint64_t *counters, size_t count)
{
	struct counter_value *value;

	key_start(&learner->key);
	key_string(&learner->key, which);
	value = state_note(learner->state, TABLE_COUNTERS, &learner->key, time_ns, NULL);
	if (!value)
		return;
	/* The first one only grows: when it is smaller the count began anew. */
	if (counters[0] < value->now[0])
		for (size_t i = 0; i < count; i++)
			value->done[i] += value->now[i];
	memcpy(value->now, counters, count * sizeof(*counters));
}

uint64_t counter_total(const struct counter_value *value, unsigned int index)
{
	return value->done[index] + value->now[index];
}

/* Keeps how long this cycle has gone on, for whoever resumes it. */
static void save_cycle(struct learner *learner)
{
	uint64_t elapsed_ns = learner_elapsed_ns(learner) - learner->elapsed_before_ns;
	struct cycle_value *cycle;

	if (!state_has_changes(learner->state) && learner->cycle_saved_ns &&
	    elapsed_ns - learner->cycle_saved_ns < CYCLE_SAVE_NS)
		return;
	key_start(&learner->key);
	key_number(&learner->key, learner->cycle_started_ns, 8);
	key_string(&learner->key, learner->boot_id);
	cycle = state_note(learner->state, TABLE_CYCLES, &learner->key, clock_realtime_ns(), NULL);
	if (cycle)
		cycle->elapsed_ns = elapsed_ns;
	learner->cycle_saved_ns = elapsed_ns ? elapsed_ns : 1;
}

/* What is new among contacts need not be new to the profile: a domain has many hosts. Counting that
 * means generalising, which is kept below a fraction of a percent of the time. */
static void recount_entries(struct learner *learner)
{
	uint64_t start_ns = clock_boottime_ns();
	uint64_t pause_ns;

	if (start_ns < learner->entries_due_ns ||
	    learner->entries_of == learner->novelty[NOVELTY_CONNECTIONS].observations)
		return;
	count_entries(learner);
	pause_ns = 500 * (clock_boottime_ns() - start_ns);
	learner->entries_due_ns = start_ns + (pause_ns > RECOUNT_NS ? pause_ns : RECOUNT_NS);
}

void learner_release(struct learner *learner)
{
	if (learner->journal && state_has_changes(learner->state))
		return;
	state_free(learner->state);
	learner->state = NULL;
}

int learner_flush(struct learner *learner, struct error *error)
{
	struct error problem = {0};
	int result;

	if (!learner->state)
		return 0;
	recount_entries(learner);
	if (!learner->journal)
		return 0;
	save_evicted(learner);
	save_cycle(learner);
	result = journal_commit(learner->journal, learner->state, &problem);
	if (result < 0 && error)
		*error = problem;
	return result;
}

int learner_discard_journal(struct learner *learner, struct error *error)
{
	int result;

	if (!learner->journal)
		return 0;
	result = journal_discard(learner->journal, error);
	learner->journal = NULL;
	return result;
}

void learner_summarise(const struct learner *learner, struct learner_summary *ret_summary)
{
	struct learner_summary summary = {
		.programs = learner->novelty[NOVELTY_PROGRAMS],
		.listeners = learner->novelty[NOVELTY_LISTENERS],
		.connections = learner->entries_of ? learner->entries
						   : learner->novelty[NOVELTY_CONNECTIONS],
		.names = learner->novelty[NOVELTY_NAMES],
	};

	for (const struct counter_value *value = state_next(learner->state, TABLE_COUNTERS, NULL);
	     value; value = state_next(learner->state, TABLE_COUNTERS, value)) {
		struct key_reader reader = state_key(value);
		struct key_text which = key_read_text(&reader);

		if (counts_evicted(value))
			continue;
		if (which.size >= strlen(COUNTER_LOSS) &&
		    memcmp(which.bytes, COUNTER_LOSS, strlen(COUNTER_LOSS)) == 0) {
			summary.events_lost += counter_total(value, LOSS_LOST);
			continue;
		}
		summary.packets += counter_total(value, CAPTURE_PACKETS);
		summary.packets_dropped += counter_total(value, CAPTURE_DROPPED);
		summary.interrupted |= counter_total(value, CAPTURE_INTERRUPTED) > 0;
	}
	memcpy(summary.newest, learner->newest, sizeof(summary.newest));
	*ret_summary = summary;
}

bool learner_is_stable(const struct learner *learner, uint64_t now_ns, uint64_t quiet_ns)
{
	/* Listeners and names follow from the other two, and a station may have none. */
	return (learner->recorded ||
		novelty_is_settled(&learner->novelty[NOVELTY_PROGRAMS], now_ns, quiet_ns)) &&
	       learner->entries_of > 0 && novelty_is_settled(&learner->entries, now_ns, quiet_ns) &&
	       novelty_is_quiet(&learner->novelty[NOVELTY_LISTENERS], now_ns, quiet_ns) &&
	       novelty_is_quiet(&learner->novelty[NOVELTY_NAMES], now_ns, quiet_ns);
}

const char *learner_incomplete_reason(const struct learner *learner)
{
	return learner->incomplete_reason[0] ? learner->incomplete_reason : NULL;
}
