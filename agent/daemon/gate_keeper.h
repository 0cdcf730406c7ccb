/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_GATE_KEEPER_H
#define DAEMON_GATE_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "enforce/failure.h"
#include "gate/gate.h"
#include "loop/loop.h"

/*
 * Keeps a gate at work, gives it its orders, and hands out what it says, checked. A gate that ends
 * is replaced, one that is stopped or does not answer is ended and replaced; the next one is told
 * to apply what was in force. The rules stay in the kernel all the while.
 */
struct gate_keeper;

/* How long a gate may leave a question, and an order to apply rules, unanswered. Others may hold
 * the lock of iptables for ten seconds. */
#define GATE_SILENCE_MS UINT64_C(25000)
#define GATE_APPLY_MS	UINT64_C(40000)

struct gate_keeper_config {
	int (*run)(const struct gate_config *config); /* gate_run() */
	struct gate_config gate; /* but for channel and supervisor, the keeper's own */
	void (*found)(void *context, const struct finding *finding);
	void (*said)(void *context, const char *sentence);
	void (*started)(void *context, pid_t pid); /* each time anew */
	/* It ended otherwise than told, or (FAILURE_RULES_REFUSED) cannot apply again what was in
	 * force. */
	void (*replaced)(void *context, enum failure failure, const char *why);
	void *context;
};

/* result: 0 or negative errno, with why. Not called when the keeper is freed before. */
typedef void (*gate_applied_fn)(void *context, int result, const char *why);

/* Starts one, which does nothing yet. */
int gate_keeper_new(struct loop *loop, const struct gate_keeper_config *config,
		    struct gate_keeper **ret_keeper, struct error *error);

/* Ends the gate; the rules stay. */
void gate_keeper_free(struct gate_keeper *keeper);

/* network: a sealed descriptor (gate.h, GATE_APPLY), borrowed: it has to be valid until another
 * one is in force, and the one in force as long as a change may still fail. Waits for the answer,
 * so only while nothing is guarded: the gate opens files. */
int gate_keeper_apply_first(struct gate_keeper *keeper, int network, bool report_only,
			    struct error *error);

/* The same without waiting, calling back. Refused, the one that was in force stays. -EBUSY while
 * one is under way. */
int gate_keeper_apply(struct gate_keeper *keeper, int network, bool report_only,
		      gate_applied_fn done);

/* Takes the rules away, and ends it; waits. Errors leave it to the caller (backend_clear_all()). */
int gate_keeper_clear(struct gate_keeper *keeper, struct error *error);

/* As guard_keeper_child(). */
bool gate_keeper_child(struct gate_keeper *keeper, pid_t pid, int status);

bool gate_keeper_is_busy(const struct gate_keeper *keeper); /* gate_keeper_apply() is under way */
pid_t gate_keeper_pid(const struct gate_keeper *keeper);
unsigned int gate_keeper_restarts(const struct gate_keeper *keeper);

/* As it was counted last, seconds ago. */
const struct gate_counts *gate_keeper_counts(const struct gate_keeper *keeper);

/* NULL: the rules are in force, and as the gate applied them; else what is the matter. */
const char *gate_keeper_trouble(const struct gate_keeper *keeper);

#endif
