/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_EVENT_SOURCE_H
#define COMMANDS_EVENT_SOURCE_H

#include <jansson.h>

#include "base/error.h"

/* Where events are looked for: in the log's files, which need nobody to run; where there are none,
 * in the supervisor's memory. */
struct event_source {
	const char *directory; /* NULL: where the supervisor says, else the usual one */
	const char *control;   /* NULL: the usual socket */
};

/* Adds all events to the list, oldest first. -ENOENT: there are no files, and nobody who could be
 * asked. */
int event_source_read(const struct event_source *source, json_t *list, struct error *error);

#endif
