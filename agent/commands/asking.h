/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_ASKING_H
#define COMMANDS_ASKING_H

#include <jansson.h>

/* One change asked of the supervisor, to its end: says what was done, or why not. Takes the
 * request's reference. Returns the exit code. */
int ask_for_change(const char *name, const char *control, json_t *request, int timeout_ms,
		   const char *done);

#endif
