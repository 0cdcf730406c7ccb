/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SWEEP_SWEEPER_H
#define SWEEP_SWEEPER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "enforce/program_policy.h"
#include "report/finding.h"

/*
 * The worker behind the guard: looks at what processes run, right after each exec (process
 * connector), at the start, after losses, and where there is no connector several times a second
 * (/proc, libproc2). What is unknown is ended through a pidfd whose process was checked again after
 * it was opened. It opens files, so that the guard must trust its pid.
 */
struct sweeper_config {
	bool only_reports; /* ends nobody */
	int findings;	   /* channel: struct sweeper_message, one a message */
	bool pass_files;
	const struct program_policy *policy;
	pid_t supervisor;
	uint64_t file_size_limit;
	bool without_connector; /* for tests and measurements */
	bool spare_running;	/* what runs at the start is reported and not ended */
};

/* What a sweeper says: a finding; or that a program runs from a filesystem that the guard's marks
 * may not cover; or once after the start which layers it has. */
enum sweeper_message_kind {
	SWEEPER_FINDING = 1,
	SWEEPER_UNCOVERED,
	SWEEPER_LAYERS,
};

struct sweeper_message {
	uint32_t kind;
	int32_t pid;		/* UNCOVERED */
	uint64_t device;	/* UNCOVERED: st_dev of its program */
	uint8_t connector;	/* LAYERS: on */
	uint32_t lost;		/* FINDING: that were not sent before this one: too many */
	char reason[120];	/* LAYERS: why the connector is off */
	struct finding finding; /* FINDING */
};

/* A plain fork. Every descriptor but the channel and the standard streams is closed in it, and it
 * dies with its supervisor. Returns the pid or negative errno. */
pid_t sweeper_start(const struct sweeper_config *config);
int sweeper_run(const struct sweeper_config *config);

/* What runs now and is not permitted, for the preflight: one call back for each program (its
 * findings counted as repeats), nothing is ended. Returns 0 or negative errno. */
typedef void (*sweeper_found_fn)(void *context, const struct finding *finding);
int sweeper_preview(const struct program_policy *policy, uint64_t file_size_limit,
		    sweeper_found_fn found, void *context, struct error *error);

#endif
