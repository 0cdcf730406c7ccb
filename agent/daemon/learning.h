/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_LEARNING_H
#define DAEMON_LEARNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "daemon/recordings.h"
#include "learn/learner.h"
#include "profiles/profile.h"

/*
 * One learning run from start to written profile: wires what observes to the learner. Live it runs
 * with privileges until the cycle is over, nothing new is to be expected, or a signal ends it
 * early; over recordings it needs none.
 */

/* What a display may want to know, about once a second. Valid during the call. */
struct learning_progress {
	uint64_t elapsed_ns;
	uint64_t cycle_ns;     /* 0: until stable, or recorded */
	const char *recording; /* the file being read, or NULL when live */
	struct learner_summary summary;
	const char *notice; /* something that happened since the last call, or NULL */
};

typedef void (*learning_progress_fn)(void *context, const struct learning_progress *progress);

struct learning_config {
	const char *output;  /* where the profile goes */
	const char *journal; /* NULL: none (recordings) */
	bool resume;
	bool until_stable;
	uint64_t cycle_ns; /* with until_stable: an upper bound, 0 for none */
	uint64_t quiet_ns; /* with until_stable: nothing new for so long; 0: for as long again as
			      it took, ten minutes at least */
	uint64_t boot_phase_ns;
	bool include_session;
	const char *const *interfaces; /* live; none: all */
	size_t interface_count;
	const char *const *recordings; /* capture files; none: live */
	size_t recording_count;
	struct recorded_device device;
	learning_progress_fn progress;
	void *context;
};

struct learning_result {
	struct learner_summary summary;
	char incomplete_reason[256]; /* "": the cycle counts as complete */
};

/* Errors name the file or the interface and the remedy. After an error the journal, if any, still
 * holds what was learnt. */
int learning_run_live(const struct learning_config *config, struct learning_result *ret_result,
		      struct error *error);
int learning_run_recorded(const struct learning_config *config, struct learning_result *ret_result,
			  struct error *error);

#endif
