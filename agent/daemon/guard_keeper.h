/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_GUARD_KEEPER_H
#define DAEMON_GUARD_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "daemon/policy_loader.h"
#include "enforce/failure.h"
#include "guard/coverage.h"
#include "guard/guard.h"
#include "loop/loop.h"

/*
 * Keeps a guard at work: the fanotify group, the desk, and whoever works there. A guard that ends
 * is replaced at once, before anything else is done; one that is stopped, or has an event in hand
 * and shows no sign of life, is ended and replaced. What waits in the kernel waits on.
 */
struct guard_keeper;

/* How long a guard may be silent over one event. */
#define GUARD_SILENCE_MS 2000

struct guard_keeper_config {
	enum guard_mode mode;
	int findings; /* both ends belong to the caller */
	bool pass_files;
	const struct loaded_policy *policy;
	const pid_t *trusted; /* GUARD_TRUSTED of them, 0: nobody */
	uint64_t file_size_limit;
	int inherited_group; /* of a supervisor that is gone, with its desk; -1: none */
	int inherited_desk;
	/* A guard ended otherwise than told: why, a sentence. */
	void (*replaced)(void *context, enum failure failure, const char *why);
	void *context;
};

/* Makes the group and starts a guard; nothing is guarded yet. */
int guard_keeper_new(struct loop *loop, const struct guard_keeper_config *config,
		     struct guard_keeper **ret_keeper, struct error *error);

/* From here on files are guarded. */
int guard_keeper_cover(struct guard_keeper *keeper, struct error *error);

/* Ends the guard after the event in hand and closes the group: everything that waits passes. */
void guard_keeper_free(struct guard_keeper *keeper);

/* To be called for every child that ended or stopped (waitpid with WUNTRACED): true if it was the
 * guard, which is replaced then. */
bool guard_keeper_child(struct guard_keeper *keeper, pid_t pid, int status);

/* The next guard works by this policy, and takes over soon; the one at work must stay valid until
 * then: done is called. */
void guard_keeper_set_policy(struct guard_keeper *keeper, const struct loaded_policy *policy,
			     void (*done)(void *context));

/* A sweeper was replaced: the guard must trust the new one. */
void guard_keeper_set_trusted(struct guard_keeper *keeper, unsigned int place, pid_t pid);

pid_t guard_keeper_pid(const struct guard_keeper *keeper);
unsigned int guard_keeper_restarts(const struct guard_keeper *keeper);
const struct desk *guard_keeper_desk(const struct guard_keeper *keeper);
struct coverage *guard_keeper_coverage(const struct guard_keeper *keeper);

/* The numbers under which a successor of this supervisor finds the group and the desk. */
int guard_keeper_desk_fd(const struct guard_keeper *keeper);

#endif
