/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/execution_losses.h"

#include "base/clock.h"

static void tell(const char *source, struct execution_counter *told,
		 const struct execution_counter *now, observation_fn deliver, void *context)
{
	const struct observation observation = {
		.kind = OBSERVATION_LOSS,
		.time_ns = clock_realtime_ns(),
		.loss = {.source = source, .seen = now->seen, .lost = now->lost},
	};

	if (now->seen == told->seen && now->lost == told->lost)
		return;
	*told = *now;
	deliver(context, &observation);
}

void execution_losses_tell(struct execution_losses *told, const struct execution_losses *now,
			   observation_fn deliver, void *context)
{
	tell("fanotify", &told->files, &now->files, deliver, context);
	tell("process connector", &told->processes, &now->processes, deliver, context);
}
