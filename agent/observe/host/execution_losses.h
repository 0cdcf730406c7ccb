/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_EXECUTION_LOSSES_H
#define OBSERVE_HOST_EXECUTION_LOSSES_H

#include <stdint.h>

#include "observe/observation.h"

/* What the event layers have counted since they were opened. */
struct execution_counter {
	uint64_t seen;
	uint64_t lost;
};

struct execution_losses {
	struct execution_counter files;
	struct execution_counter processes;
};

/* Delivers LOSS for each layer whose counters changed, and takes them down in told. */
void execution_losses_tell(struct execution_losses *told, const struct execution_losses *now,
			   observation_fn deliver, void *context);

#endif
