/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_OUTBOX_H
#define OBSERVE_NETWORK_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observe/network/message.h"

/*
 * The inspector's way out: reports are collected and leave together, when the box is full, when
 * something urgent is in it, or when the oldest has waited long enough.
 */
#define OUTBOX_WAIT_NS (100 * NS_PER_MS)

struct outbox {
	int channel;
	int broken; /* negative errno once the supervisor could not be reached */
	bool urgent;
	size_t count;
	uint64_t oldest_ns; /* CLOCK_MONOTONIC; of the first report in the box */
	struct report reports[REPORTS_PER_MESSAGE];
};

/* Takes a report. Blocks while the box is full and the supervisor slow: then the kernel drops
 * packets and counts them. */
void outbox_put(struct outbox *outbox, const struct report *report);

/* An observation_fn with a struct outbox for context. A START is urgent: whoever opened the flow
 * may be gone in milliseconds. */
void outbox_observe(void *outbox, const struct observation *observation);

/* Sends what is in the box. Returns 0 or negative errno (for good). */
int outbox_flush(struct outbox *outbox);

/* Sends if something urgent is in it or the oldest has waited long enough. */
int outbox_flush_due(struct outbox *outbox, uint64_t now_ns);

#endif
