/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LEARN_LEARNER_H
#define LEARN_LEARNER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "observe/observation.h"
#include "profiles/profile.h"

/*
 * Observations in, a profile out. What is kept is the distinct behaviour of each station with when
 * and how often; its size does not depend on how long learning takes. With a journal every new
 * entry is on disk at once and every count within seconds (journal.h).
 */
struct learner;

struct learner_config {
	uint64_t boot_phase_ns; /* programs started earlier than this after boot are of the boot
				   phase */
	bool recorded;		/* from captures: no programs, no process events are expected */
	const char *journal;	/* path, or NULL: nothing is kept on disk */
	bool resume; /* go on from what the journal holds; else it must not exist or be ours
			and finished */
};

/* Errors name the journal and the remedy. */
int learner_new(const struct learner_config *config, struct learner **ret_learner,
		struct error *error);
void learner_free(struct learner *learner);

/* What there was to say about the journal when it was opened (a sentence, "the journal's last 57
 * bytes were cut short and are left out"), or NULL. */
const char *learner_note(const struct learner *learner);

/* Takes note. OBSERVATION_START is ignored: it is for attribution. */
void learner_observe(struct learner *learner, const struct observation *observation);

/* Tells which program opened a flow, after its START and before its CONNECTION is observed. NULL:
 * could not be known. left_out: the flow belongs to nobody's behaviour and is forgotten. */
void learner_attribute(struct learner *learner, const struct station *station, uint64_t flow_id,
		       const char *program, bool left_out);

/* How long was learnt, by CLOCK_BOOTTIME: this cycle and those that --resume goes on from; of
 * recordings, by their packets. */
uint64_t learner_elapsed_ns(const struct learner *learner);

/* A new sample begins: another recording, another hour of learning. How often a peer comes back in
 * later samples decides whether a class of peers is closed (generalise.h). */
void learner_begin_sample(struct learner *learner);

/* Writes what changed since the last call to the journal. To be called every few seconds. After an
 * error learning goes on in memory; later calls try again and return the error for as long as it
 * lasts. */
int learner_flush(struct learner *learner, struct error *error);

/* The cycle is over and its profile is safely written: the journal is removed. */
int learner_discard_journal(struct learner *learner, struct error *error);

/* The novelty of one class of entries (programs, connections, listeners, names). */
struct novelty {
	uint64_t observations;
	uint64_t distinct;
	uint64_t seen_once;
	double unseen_probability; /* Good–Turing: seen_once / observations; without any it is not
				      known: 1 here, null in a profile, not shown */
	uint64_t last_new_ns;	   /* realtime of the newest entry; 0: none */
};

struct learner_summary {
	struct novelty programs;
	struct novelty listeners;
	struct novelty connections;
	struct novelty names;
	uint64_t packets;
	uint64_t packets_dropped;
	uint64_t events_lost;
	bool interrupted;
	char newest[4][160]; /* labels of the newest entries, the latest first; "" for none */
};

void learner_summarise(const struct learner *learner, struct learner_summary *ret_summary);

/* Whether nothing new is to be expected: see docs/learning.md for the rule. quiet_ns: how long the
 * last new entry must be ago. */
bool learner_is_stable(const struct learner *learner, uint64_t now_ns, uint64_t quiet_ns);

/* The cycle that goes into the evidence. complete is decided by the learner: false when packets or
 * events were lost, the capture was interrupted, or ended_early is set. */
struct learner_cycle {
	uint64_t started_ns;
	uint64_t ended_ns;
	bool ended_early;
	const char *limitation; /* what could not be watched from the beginning, as a sentence; or
				   NULL */
	char boot_id[40];	/* of /proc/sys/kernel/random/boot_id; "" for recordings */
};

/* A new profile with policy and evidence, generalised (generalise.h) and canonical; device fields
 * are left for the caller. To be freed with profile_free(). */
int learner_profile(struct learner *learner, const struct learner_cycle *cycle,
		    struct profile **ret_profile, struct error *error);

/* The profile is made: the tables go, to make room for writing it, unless the journal lacks
 * something of them. After this only flushing (which does nothing), discarding the journal and
 * freeing may follow. */
void learner_release(struct learner *learner);

/* Whether the last profile's cycle counted as complete, and if not why (a sentence, or NULL). */
const char *learner_incomplete_reason(const struct learner *learner);

#endif
