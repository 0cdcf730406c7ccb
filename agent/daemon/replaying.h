/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_REPLAYING_H
#define DAEMON_REPLAYING_H

#include <stdint.h>

#include "base/error.h"
#include "daemon/recordings.h"
#include "profiles/profile.h"
#include "rules/compile.h"

/* Holds recordings against a profile: every flow that the device opens is judged, by the profile's
 * entries, or by the rules that they compile into, which know less: what the first packet shows. */

/* One flow that would have been blocked. Valid during the call. */
typedef void (*replaying_blocked_fn)(void *context, uint64_t time_ns,
				     const struct observed_flow *flow);

struct replaying_config {
	const struct profile *profile;
	struct recordings recordings; /* deliver and context are set by replaying_run(). Without a
					 device: the one that the profile was learnt from */
	const struct rules_options *rules; /* judges by rules compiled so; NULL: by the entries */
	replaying_blocked_fn blocked;
	void *context;
};

struct replaying_result {
	uint64_t starts; /* without what the IP stack does by itself */
	uint64_t blocked;
	bool heard; /* the device sent something */
};

/* A recording in which the device opened nothing has no starts; that is no error. */
int replaying_run(const struct replaying_config *config, struct replaying_result *ret_result,
		  struct error *error);

#endif
