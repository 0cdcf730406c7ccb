/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_LIVE_H
#define OBSERVE_NETWORK_LIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "observe/network/tracker.h"

/* The inspector's own process, live: what inspector.c starts as a worker. */

#define INTERFACES_MAX 32

struct live_config {
	const char *const *interfaces;
	size_t interface_count;	       /* 1 to INTERFACES_MAX */
	struct tracker_config subject; /* deliver and context are not used */
	bool first; /* an interface that does not exist is a mistake, not one that went away */
};

struct live;

int live_new(const struct live_config *config, struct live **ret_live);
void live_free(struct live *live);

/* See struct worker_config: context is a struct live. */
int live_prepare(void *context, struct error *error);
int live_run(void *context, int channel);

#endif
