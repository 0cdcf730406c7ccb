/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_EVENT_LINE_H
#define REPORT_EVENT_LINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/finding.h"

/*
 * One event as one line of JSON and back. The keys are a public interface: docs/events.md. Bytes
 * that are no text are escaped as base/text.h has it, so that every line is well-formed UTF-8.
 */
#define EVENT_KEY_ID	"id"
#define EVENT_KEY_TIME	"time"
#define EVENT_KEY_EVENT "event"
#define EVENT_KEY_TEXT	"text" /* of notes */

#define EVENT_KEY_KIND		"kind"
#define EVENT_KEY_PATH		"path"
#define EVENT_KEY_SHA256	"sha256"
#define EVENT_KEY_SIZE		"size"
#define EVENT_KEY_PROGRAM	"program"
#define EVENT_KEY_ARGUMENTS	"arguments"
#define EVENT_KEY_ARGUMENTS_CUT "arguments_cut"
#define EVENT_KEY_PID		"pid"
#define EVENT_KEY_USER		"user"
#define EVENT_KEY_ANCESTORS	"ancestors"
#define EVENT_KEY_LAYER		"layer"
#define EVENT_KEY_ACTION	"action"
#define EVENT_KEY_SINCE_EXEC_US "since_exec_us"
#define EVENT_KEY_REPEATS	"repeats"

#define EVENT_KEY_OF	"of" /* of repeats: the id of the line that they repeat */
#define EVENT_KEY_COUNT "count"

/* Larger ids are none: JSON numbers are exact up to here. */
#define EVENT_ID_LIMIT	 (UINT64_C(1) << 53)
#define EVENT_LINE_LIMIT 32768 /* bytes: longer than any that is written */

/* Each returns the event, or NULL when memory is out. */
json_t *event_of_finding(uint64_t id, const struct finding *finding);
json_t *event_of_repeats(uint64_t id, uint64_t time_ns, uint64_t of, uint64_t count,
			 const struct finding *finding);
json_t *event_of_note(uint64_t id, uint64_t time_ns, const char *event, const char *text);

/* The line (without newline), to be freed; NULL when memory is out. */
char *event_line(const json_t *event);

/* The id that a line begins with, 0 for what is no event line. Looks at its beginning alone. */
uint64_t event_line_id(const char *line, size_t size);

/* Whether a line of ours is about a finding: one, or its repeats. */
bool event_line_is_finding(const char *line);

/* A line that someone else may have written: an object with an id and the name of its event, or
 * NULL. */
json_t *event_parse(const char *line, size_t size);

#endif
