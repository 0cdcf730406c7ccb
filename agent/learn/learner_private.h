/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LEARN_LEARNER_PRIVATE_H
#define LEARN_LEARNER_PRIVATE_H

#include "base/map.h"
#include "learn/journal.h"
#include "learn/learner.h"
#include "learn/novelty.h"
#include "learn/state.h"

/* What the parts of the learner share. */
enum novelty_class {
	NOVELTY_PROGRAMS,
	NOVELTY_LISTENERS,
	NOVELTY_CONNECTIONS,
	NOVELTY_NAMES,
	NOVELTY_CLASSES,
};
extern const char *const novelty_class_names[NOVELTY_CLASSES];

struct learner {
	uint64_t boot_phase_ns;
	bool recorded;
	struct state *state;
	struct journal *journal; /* NULL: none */
	struct map *attributions;
	struct novelty novelty[NOVELTY_CLASSES];
	struct novelty entries;	 /* of connections, as generalised into entries */
	uint64_t entries_of;	 /* observations when they were counted */
	uint64_t entries_due_ns; /* not before this much of CLOCK_BOOTTIME they are counted again */
	char newest[4][160];
	struct key key; /* for building keys: too large for the stack */
	struct key other_key;
	char boot_id[40];
	uint64_t cycle_started_ns; /* key of the cycle that is going on, with boot_id */
	uint64_t started_boottime_ns;
	uint64_t elapsed_before_ns; /* of earlier cycles */
	uint64_t cycle_saved_ns;    /* elapsed when the cycle's entry was last brought up to date */
	uint64_t recorded_elapsed_ns;
	uint64_t recorded_last_ns;
	uint64_t sample_first_ns; /* earliest and latest moment of this segment */
	uint64_t sample_last_ns;
	bool sample_ends;
	char note[160];
	char incomplete_reason[256];
};

/* Takes the entry under learner->key into account for its class, and when it is new notes its label
 * and a point of the curve. */
void learner_count(struct learner *learner, enum novelty_class class, const struct seen *seen,
		   bool is_new, uint64_t time_ns, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* samples.c: a new segment begins; the bit of the sample into which the time falls. */
void samples_next_segment(struct learner *learner);

/* A moment was observed. After sample_ends was set the new segment begins with the first moment
 * that lies outside of the old one: flows that waited for their name still come in. */
void samples_note_time(struct learner *learner, uint64_t time_ns);
uint64_t samples_at(struct learner *learner, uint64_t time_ns);

/* evidence.c: generalises and counts the entries; leaves them as they were when memory is out. */
void count_entries(struct learner *learner);

/* take_host.c */
void take_execution(struct learner *learner, const struct observation *observation);
void take_script(struct learner *learner, const struct observation *observation);
void take_library(struct learner *learner, const struct observation *observation);
void take_read(struct learner *learner, const struct observation *observation); /* reads.c */
void take_listener(struct learner *learner, const struct observation *observation);
void take_loss(struct learner *learner, const struct observation *observation);

/* take_network.c */
void take_connection(struct learner *learner, const struct observation *observation);
void take_service(struct learner *learner, const struct observation *observation);
void take_name(struct learner *learner, const struct observation *observation);
void take_role(struct learner *learner, const struct observation *observation);
void take_capture(struct learner *learner, const struct observation *observation);

/* Counters that start anew with each capture or process; in the order of struct observed_capture,
 * the last one for interrupted; seen and lost for sources of events ("loss " and the name). */
#define COUNTER_CAPTURE "capture"
#define COUNTER_LOSS	"loss "
#define COUNTER_EVICTED "evicted " /* and the table's name: the total over all cycles */
enum capture_counter {
	CAPTURE_PACKETS,
	CAPTURE_BYTES,
	CAPTURE_DROPPED,
	CAPTURE_UNDECODED,
	CAPTURE_EVICTED,
	CAPTURE_INTERRUPTED,
};
enum loss_counter { LOSS_SEEN, LOSS_LOST };
void take_counters(struct learner *learner, uint64_t time_ns, const char *which,
		   const uint64_t *counters, size_t count);
uint64_t counter_total(const struct counter_value *value, unsigned int index);

/* A flow's program, told before its connection was seen. */
struct attribution {
	char *program;
	bool left_out;
	bool known;
};
struct attribution *find_attribution(struct learner *learner, const struct station *station,
				     uint64_t flow_id);
void forget_attribution(struct learner *learner, struct attribution *attribution);

#endif
