/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_REPLAY_REPORT_H
#define COMMANDS_REPLAY_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "commands/table.h"
#include "daemon/replaying.h"

/* What a profile would have blocked: each start for programs (JSON), and for people one row for all
 * starts to the same peer and port. Both are bounded; what is left out is counted. */
struct replay_report;

/* NULL when memory is out. */
struct replay_report *replay_report_new(bool json);
void replay_report_free(struct replay_report *report);

/* A replaying_blocked_fn; context is the report. */
void replay_report_blocked(void *context, uint64_t time_ns, const struct observed_flow *flow);

/* The style is for people. 0 or -ENOMEM. */
int replay_report_print(const struct replay_report *report, const struct replaying_result *result,
			const struct table_style *style, FILE *out);

#endif
