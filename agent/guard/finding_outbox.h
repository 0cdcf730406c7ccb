/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUARD_FINDING_OUTBOX_H
#define GUARD_FINDING_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "guard/desk.h"
#include "report/finding.h"

/*
 * The way out for findings: never blocks, sends about two hundred a second and counts what is more:
 * equal ones as repeats of one that goes out a little later, the rest as lost.
 */
#define OUTBOX_HELD	  32
#define OUTBOX_PER_SECOND 200

struct finding_outbox {
	int channel;
	struct desk *desk;
	uint32_t tokens;
	uint64_t filled_ns;
	uint32_t held_count;
	struct finding held[OUTBOX_HELD];
};

void finding_outbox_init(struct finding_outbox *outbox, int channel, struct desk *desk);

/* Whether one more may go out now; else it is only held, and needs no more than kind, path and
 * program. */
bool finding_outbox_has_room(struct finding_outbox *outbox);

/* file: a descriptor that goes along, -1 for none. */
void finding_outbox_put(struct finding_outbox *outbox, const struct finding *finding, int file);

/* Sends what was held, as far as it may. Returns whether more is held. */
bool finding_outbox_flush(struct finding_outbox *outbox);

#endif
