/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The profile: policy of every station, and how far to trust it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/memory.h"
#include "learn/build.h"
#include "learn/learner_private.h"

static json_t *cycle_to_json(uint64_t started_ns, uint64_t ended_ns, uint64_t elapsed_ns,
			     const char *boot_id, size_t boot_id_size, const char *reason)
{
	char started[CLOCK_TEXT_SIZE], ended[CLOCK_TEXT_SIZE];

	clock_format(started_ns, started);
	clock_format(ended_ns, ended);
	return json_pack("{s:s, s:s, s:o, s:I, s:b, s:o}", "started", started, "ended", ended,
			 "boot_id",
			 boot_id_size ? json_stringn(boot_id, boot_id_size) : json_null(),
			 "seconds", (json_int_t)(elapsed_ns / NS_PER_S), "complete", !reason,
			 "incomplete_reason", reason ? json_string(reason) : json_null());
}

/* Earlier cycles are there only because they broke off: a finished one takes its journal with it.
 */
static json_t *cycles_to_json(const struct learner *learner, const struct learner_cycle *current)
{
	json_t *cycles = json_array();
	uint64_t elapsed_ns = learner_elapsed_ns(learner) - learner->elapsed_before_ns;

	for (const struct cycle_value *value = state_next(learner->state, TABLE_CYCLES, NULL);
	     cycles && value; value = state_next(learner->state, TABLE_CYCLES, value)) {
		struct key_reader reader = state_key(value);
		uint64_t started_ns = key_read_number(&reader, 8);
		struct key_text boot_id = key_read_text(&reader);

		if (started_ns != learner->cycle_started_ns &&
		    json_array_append_new(
			    cycles, cycle_to_json(started_ns, value->seen.last_ns,
						  value->elapsed_ns, boot_id.bytes, boot_id.size,
						  "it broke off and was resumed")) < 0)
			goto fail;
	}
	if (json_array_append_new(cycles,
				  cycle_to_json(current->started_ns, current->ended_ns, elapsed_ns,
						current->boot_id, strlen(current->boot_id),
						learner_incomplete_reason(learner))) < 0)
		goto fail;
	return cycles;
fail:
	json_decref(cycles);
	return NULL;
}

static json_t *capture_to_json(const struct learner *learner)
{
	static const struct counter_value none = {0};
	const struct counter_value *value;
	struct key *key = calloc(1, sizeof(*key));

	if (!key)
		return NULL;
	key_start(key);
	key_string(key, COUNTER_CAPTURE);
	value = state_find(learner->state, TABLE_COUNTERS, key);
	free(key);
	if (!value)
		value = &none;
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:b}", "packets",
			 (json_int_t)counter_total(value, CAPTURE_PACKETS), "bytes",
			 (json_int_t)counter_total(value, CAPTURE_BYTES), "dropped",
			 (json_int_t)counter_total(value, CAPTURE_DROPPED), "undecoded",
			 (json_int_t)counter_total(value, CAPTURE_UNDECODED), "evicted",
			 (json_int_t)counter_total(value, CAPTURE_EVICTED), "interrupted",
			 counter_total(value, CAPTURE_INTERRUPTED) > 0);
}

static json_t *events_to_json(const struct learner *learner)
{
	json_t *sources = json_object();
	json_int_t seen = 0, lost = 0;

	for (const struct counter_value *value = state_next(learner->state, TABLE_COUNTERS, NULL);
	     sources && value; value = state_next(learner->state, TABLE_COUNTERS, value)) {
		struct key_reader reader = state_key(value);
		bool broken = false;
		_cleanup_(freep) char *which = key_read_string(&reader, &broken);
		json_int_t source_seen = (json_int_t)counter_total(value, LOSS_SEEN);
		json_int_t source_lost = (json_int_t)counter_total(value, LOSS_LOST);

		if (!which || strncmp(which, COUNTER_LOSS, strlen(COUNTER_LOSS)) != 0)
			continue;
		seen += source_seen;
		lost += source_lost;
		if (json_put(sources, which + strlen(COUNTER_LOSS),
			     json_pack("{s:I, s:I}", "seen", source_seen, "lost", source_lost)) <
		    0) {
			json_decref(sources);
			return NULL;
		}
	}
	return sources ? json_pack("{s:I, s:I, s:o}", "seen", seen, "lost", lost, "sources",
				   sources)
		       : NULL;
}

/* [seconds, distinct entries] where there was something new. */
static json_t *curve_to_json(const struct curve_value *curve)
{
	json_t *points = json_array();

	for (int i = 0; points && curve && i < CURVE_POINTS; i++)
		if (curve->points[i])
			(void)json_array_append_new(
				points, json_pack("[I, I]",
						  (json_int_t)((uint64_t)(i + 1) *
							       curve->resolution_ns / NS_PER_S),
						  (json_int_t)curve->points[i]));
	return points;
}

static json_t *class_to_json(struct learner *learner, enum novelty_class class,
			     const struct novelty *novelty)
{
	char last_new[CLOCK_TEXT_SIZE];
	const struct curve_value *curve;

	key_start(&learner->other_key);
	key_string(&learner->other_key, novelty_class_names[class]);
	curve = state_find(learner->state, TABLE_CURVES, &learner->other_key);
	clock_format(novelty->last_new_ns, last_new);
	return json_pack(
		"{s:I, s:I, s:I, s:o, s:o, s:o}", "observations", (json_int_t)novelty->observations,
		"distinct", (json_int_t)novelty->distinct, "seen_once",
		(json_int_t)novelty->seen_once, "unseen_probability",
		novelty->observations ? json_real(novelty->unseen_probability) : json_null(),
		"last_new", novelty->last_new_ns ? json_string(last_new) : json_null(), "curve",
		curve_to_json(curve));
}

/* Recordings show no programs, and of listeners only those that somebody asked. */
static bool was_watched(const struct learner *learner, enum novelty_class class)
{
	return !learner->recorded || (class != NOVELTY_PROGRAMS && class != NOVELTY_LISTENERS) ||
	       learner->novelty[class].observations > 0;
}

static json_t *novelty_to_json(struct learner *learner)
{
	json_t *object = json_object();

	for (enum novelty_class class = 0; object && class < NOVELTY_CLASSES; class ++) {
		const struct novelty *novelty =
			class == NOVELTY_CONNECTIONS ? &learner->entries : &learner->novelty[class];

		if (was_watched(learner, class) &&
		    json_put(object, novelty_class_names[class],
			     class_to_json(learner, class, novelty)) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static json_t *evicted_to_json(const struct learner *learner)
{
	json_t *evicted = json_object();

	for (int i = 0; evicted && i < TABLE_COUNT; i++) {
		uint64_t count = state_evicted(learner->state, (enum table)i);

		if (count)
			(void)json_object_set_new(evicted, state_tables[i].name,
						  json_integer((json_int_t)count));
	}
	return evicted;
}

static void set_reason(struct learner *learner, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void set_reason(struct learner *learner, const char *format, ...)
{
	size_t used = strlen(learner->incomplete_reason);
	va_list arguments;

	if (used > 0 && used + 2 < sizeof(learner->incomplete_reason)) {
		memcpy(learner->incomplete_reason + used, "; ", 3);
		used += 2;
	}
	va_start(arguments, format);
	(void)vsnprintf(learner->incomplete_reason + used,
			sizeof(learner->incomplete_reason) - used, format, arguments);
	va_end(arguments);
}

/* Everything that may hide behaviour. */
static void judge_completeness(struct learner *learner, const struct learner_cycle *cycle,
			       const json_t *capture, const json_t *evicted)
{
	struct learner_summary summary;
	json_int_t pushed_out = json_integer_value(json_object_get(capture, "evicted"));

	learner->incomplete_reason[0] = '\0';
	learner_summarise(learner, &summary);
	if (cycle->ended_early)
		set_reason(learner, "the cycle was ended early");
	if (cycle->limitation)
		set_reason(learner, "%s", cycle->limitation);
	if (summary.packets_dropped)
		set_reason(learner, "%llu packets were dropped",
			   (unsigned long long)summary.packets_dropped);
	if (summary.events_lost)
		set_reason(learner, "%llu process or socket events were lost",
			   (unsigned long long)summary.events_lost);
	if (summary.interrupted)
		set_reason(learner, "the capture was interrupted");
	if (pushed_out)
		set_reason(learner, "%lld flows or names were pushed out of full tables",
			   (long long)pushed_out);
	if (json_object_size(evicted))
		set_reason(learner, "more behaviour than the tables hold");
}

static json_t *reason_to_json(const struct learner *learner)
{
	return learner->incomplete_reason[0] ? json_string(learner->incomplete_reason)
					     : json_null();
}

static int put_evidence_parts(struct learner *learner, const struct learner_cycle *cycle,
			      const struct build *build, json_t *evidence)
{
	json_t *capture = capture_to_json(learner);
	json_t *evicted = evicted_to_json(learner);
	int result;

	judge_completeness(learner, cycle, capture, evicted);
	result = json_put(evidence, "complete", json_boolean(!learner->incomplete_reason[0]));
	if (result == 0)
		result = json_put(evidence, "incomplete_reason", reason_to_json(learner));
	if (result == 0)
		result = json_put(evidence, "cycles", cycles_to_json(learner, cycle));
	if (result == 0)
		result = json_put(evidence, "capture", json_incref(capture));
	if (result == 0)
		result = json_put(evidence, "process_events", events_to_json(learner));
	if (result == 0)
		result = json_put(evidence, "novelty", novelty_to_json(learner));
	if (result == 0 && (!evicted || json_object_size(evicted)))
		result = json_put(evidence, "evicted", json_incref(evicted));
	if (result == 0 && learner->note[0])
		result = json_put(evidence, "journal", json_string(learner->note));
	if (result == 0)
		result = json_put(evidence, "entries", json_incref(build->entries));
	if (result == 0)
		result = json_put(evidence, "addresses", json_incref(build->addresses));
	if (result == 0)
		result = json_put(evidence, "roles", json_incref(build->roles));
	json_decref(capture);
	json_decref(evicted);
	return result;
}

/* Of recordings one station is what the profile is about; live, this host is, and others are
 * devices that it bridges. */
static bool is_own(const struct learner *learner, const struct mac_address *station, size_t count)
{
	return mac_is_zero(station) || (learner->recorded && count == 1);
}

static int build_station(struct build *build, const struct learner *learner,
			 const struct mac_address *station, size_t count)
{
	char prefix[MAC_TEXT_SIZE + 1];
	struct profile_device *device;

	if (is_own(learner, station, count)) {
		build->profile->device_mac = *station;
		return build_network(build, station, "", &build->profile->network);
	}
	device = profile_add_device(build->profile);
	if (!device)
		return -ENOMEM;
	device->mac = *station;
	mac_format(station, prefix);
	strcat(prefix, " ");
	return build_network(build, station, prefix, &device->network);
}

static int build_policy(struct build *build, const struct learner *learner, bool with_host)
{
	_cleanup_(freep) struct mac_address *stations = NULL;
	size_t count = 0;
	int result = build_stations(build->state, &stations, &count);

	if (result == 0 && with_host)
		result = build_host(build);
	for (size_t i = 0; result == 0 && i < count; i++)
		result = build_station(build, learner, &stations[i], count);
	return result;
}

static void take_connections(struct learner *learner, const struct novelty *counted)
{
	learner->entries = *counted;
	learner->entries.unseen_probability =
		novelty_unseen_probability(counted->observations, counted->seen_once);
	learner->entries_of = learner->novelty[NOVELTY_CONNECTIONS].observations;
}

/* cycle may be NULL: then only to count. */
static int build_all(struct learner *learner, const struct learner_cycle *cycle,
		     struct profile **ret_profile)
{
	struct build build = {
		.state = learner->state,
		.counting = cycle == NULL,
		.profile = profile_new(),
		.entries = json_object(),
		.addresses = json_object(),
		.roles = json_object(),
	};
	int result = -ENOMEM;

	if (build.profile)
		build.profile->evidence = json_object();
	if (build.profile && build.profile->evidence && build.entries && build.addresses &&
	    build.roles)
		result = build_policy(&build, learner, cycle != NULL);
	if (result == 0)
		take_connections(learner, &build.connections);
	if (result == 0 && cycle)
		result = put_evidence_parts(learner, cycle, &build, build.profile->evidence);
	json_decref(build.entries);
	json_decref(build.addresses);
	json_decref(build.roles);
	if (result == 0)
		*ret_profile = build.profile;
	else
		profile_free(build.profile);
	return result;
}

int learner_profile(struct learner *learner, const struct learner_cycle *cycle,
		    struct profile **ret_profile, struct error *error)
{
	struct profile *profile;
	int result = build_all(learner, cycle, &profile);

	if (result < 0)
		return error_set(error, -result, "cannot make the profile: %s", strerror(-result));
	profile_canonicalise(profile);
	*ret_profile = profile;
	return 0;
}

void count_entries(struct learner *learner)
{
	struct profile *profile;

	if (build_all(learner, NULL, &profile) == 0)
		profile_free(profile);
	memory_give_back();
}
