/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "gate/name_addresses.h"
#include "report/finding.h"
#include "rules/compile.h"

/*
 * The worker that holds this host's connections to its profile: it compiles the profile's network
 * part into rules, commits them, holds DNS answers until their addresses are in the kernel's sets,
 * and first packets until their program is known. It decides; what it decides on was parsed by its
 * own child, the reader, which has no privileges. When it dies the rules stay as they are, known
 * addresses go on working, and what needs it (questions to resolvers, their answers, connections of
 * bound programs) gets no further until the next one is there.
 */
struct gate_config {
	struct rules_options rules;
	struct name_times names;
	const char *backend;	/* name; NULL: whichever works */
	const char *names_file; /* last good addresses; NULL: none are kept */
	pid_t supervisor;	/* it ends with it */
	int channel;		/* the gate's end: struct gate_order in, struct gate_word out */
};

/* For privilege/child.h's child_fork(): what the child does, and its exit status. */
int gate_run(const struct gate_config *config);

/* ---- what the two say to each other (privilege/channel.h), one record a message ---- */

enum gate_order_kind {
	GATE_APPLY = 1, /* the descriptor that comes along: a sealed profile (network part) */
	GATE_CHANGE,	/* to report_only, or back */
	GATE_COUNT,	/* answered by GATE_COUNTED */
	GATE_CLEAR,	/* take the rules away and end */
};

struct gate_order {
	uint32_t kind;
	bool report_only; /* GATE_APPLY, GATE_CHANGE */
};

enum gate_word_kind {
	GATE_APPLIED = 1, /* the answer to GATE_APPLY and GATE_CHANGE: result, text */
	GATE_FOUND,	  /* finding */
	GATE_SAID,	  /* text: for the event log */
	GATE_COUNTED,
	GATE_CLEARED, /* result, text */
};

struct gate_counts {
	char backend[16];
	uint64_t refused_out; /* packets, since the rules were applied */
	uint64_t refused_in;
	uint64_t refused_forward;
	uint64_t questions; /* that were let out */
	uint64_t questions_refused;
	uint64_t answers;	  /* that were held and let in */
	uint64_t answers_refused; /* forged, rebinding, unreadable */
	uint64_t flows;		  /* that were held for their program, and permitted */
	uint64_t flows_refused;
	uint32_t names;	     /* addresses known */
	uint32_t longest_us; /* that an answer was held */
	uint32_t reader_restarts;
};

#define GATE_TEXT_SIZE 600

struct gate_word {
	uint32_t kind;
	int32_t result; /* 0 or negative errno */
	union {
		char text[GATE_TEXT_SIZE];
		struct finding finding;
		struct gate_counts counts;
	};
};

#endif
