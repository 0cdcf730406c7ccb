/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENFORCE_FAILURE_H
#define ENFORCE_FAILURE_H

/*
 * What can go wrong while a machine is held to its profile, and what rtguard answers: every failure
 * has one declared answer, here, and docs/enforcing.md, "When things fail", lists the same rows.
 * The names are stable: those of workers that were replaced stand in the event log.
 */
enum failure {
	FAILURE_GUARD_ENDED,
	FAILURE_GUARD_HUNG,
	FAILURE_GUARD_ENDED_REPEATEDLY,
	FAILURE_SWEEPER_ENDED,
	FAILURE_GATE_ENDED,
	FAILURE_GATE_HUNG,
	FAILURE_READER_ENDED,
	FAILURE_RULES_UNAVAILABLE,
	FAILURE_RULES_REFUSED,
	FAILURE_RULES_CHANGED,
	FAILURE_NAMES_UNSAVED,
	FAILURE_SUPERVISOR_KILLED,
	FAILURE_SECOND_INSTANCE,
	FAILURE_FINDINGS_FULL,
	FAILURE_QUEUE_OVERFLOW,
	FAILURE_FILE_UNREADABLE,
	FAILURE_FILE_TOO_LARGE,
	FAILURE_PROFILE_UNREADABLE,
	FAILURE_PROFILE_BADLY_SIGNED,
	FAILURE_RELOAD_REFUSED,
	FAILURE_DISK_FULL,
	FAILURE_DESCRIPTORS_SHORT,
	FAILURE_MEMORY_SHORT,
	FAILURE_CLOCK_JUMP,
	FAILURE_LAYER_MISSING,
	FAILURE_ORDERLY_STOP,
	FAILURE_COUNT,
};

struct failure_answer {
	const char *name;   /* "guard-ended" */
	const char *what;   /* what happened */
	const char *answer; /* what rtguard does */
	const char *remedy; /* what a person should do */
};

/* NULL for a value that is none. */
const struct failure_answer *failure_answer(enum failure failure);

#endif
