/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_SWEEPER_KEEPER_H
#define DAEMON_SWEEPER_KEEPER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "enforce/failure.h"
#include "loop/loop.h"
#include "sweep/sweeper.h"

/* Keeps a sweeper at work, and hands out what it says, checked. */
struct sweeper_keeper;

struct sweeper_keeper_config {
	struct sweeper_config sweeper; /* but for findings, which is the keeper's own */
	/* fd: the file that was stopped, the callee's, or -1 */
	void (*found)(void *context, const struct finding *finding, int fd);
	void (*uncovered)(void *context, pid_t pid);
	void (*started)(void *context, pid_t pid); /* each time anew */
	void (*replaced)(void *context, enum failure failure,
			 const char *why); /* it ended otherwise than told */
	void *context;
};

int sweeper_keeper_new(struct loop *loop, const struct sweeper_keeper_config *config,
		       struct sweeper_keeper **ret_keeper, struct error *error);
void sweeper_keeper_free(struct sweeper_keeper *keeper);

/* As guard_keeper_child(). */
bool sweeper_keeper_child(struct sweeper_keeper *keeper, pid_t pid, int status);

/* The next one works by these, and takes over at once. */
void sweeper_keeper_change(struct sweeper_keeper *keeper, bool only_reports,
			   const struct program_policy *policy);

pid_t sweeper_keeper_pid(const struct sweeper_keeper *keeper);
unsigned int sweeper_keeper_restarts(const struct sweeper_keeper *keeper);

/* NULL: the connector is on; else why it is off. */
const char *sweeper_keeper_connector_off(const struct sweeper_keeper *keeper);

#endif
