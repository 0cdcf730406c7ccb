/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/outbox.h"

#include "base/clock.h"
#include "privilege/channel.h"

void outbox_put(struct outbox *outbox, const struct report *report)
{
	if (outbox->count == REPORTS_PER_MESSAGE)
		(void)outbox_flush(outbox);
	if (outbox->count == 0)
		outbox->oldest_ns = clock_monotonic_ns();
	outbox->reports[outbox->count++] = *report;
}

void outbox_observe(void *context, const struct observation *observation)
{
	struct outbox *outbox = context;
	const struct report report = {.kind = REPORT_OBSERVATION, .observation = *observation};

	outbox_put(outbox, &report);
	outbox->urgent |= observation->kind == OBSERVATION_START;
}

int outbox_flush(struct outbox *outbox)
{
	if (outbox->count && !outbox->broken)
		outbox->broken = channel_write(outbox->channel, outbox->reports,
					       sizeof(outbox->reports[0]), outbox->count);
	outbox->count = 0;
	outbox->urgent = false;
	return outbox->broken;
}

int outbox_flush_due(struct outbox *outbox, uint64_t now_ns)
{
	if (outbox->urgent || (outbox->count && now_ns - outbox->oldest_ns >= OUTBOX_WAIT_NS))
		return outbox_flush(outbox);
	return outbox->broken;
}
