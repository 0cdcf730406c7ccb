/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_STATUS_REPORT_H
#define COMMANDS_STATUS_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "commands/table.h"

/* The answer to "status" (docs/control.md) for a person, with the last findings below. What is
 * missing in it is left out. 0 or -ENOMEM. */
int status_report(const json_t *status, const json_t *findings, const struct table_style *style,
		  FILE *out);

#endif
