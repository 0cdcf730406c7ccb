/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_EVENT_TEXT_H
#define COMMANDS_EVENT_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "report/finding.h"

/* An event of the log (docs/events.md) as a line for a person; whatever it holds, no control
 * characters come out. */
void event_print(const json_t *event, FILE *out);

/* Whether it is a finding, or repeats of one. */
bool event_is_finding(const json_t *event);

/* FINDING_NONE for what is none or not known here. */
enum finding_kind event_finding_kind(const json_t *event);

/* A member that is text, or otherwise. */
const char *event_text(const json_t *event, const char *key, const char *otherwise);

#endif
