/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_ASKING_H
#define COMMANDS_ASKING_H

#include <jansson.h>
#include <stdbool.h>

/* One change asked of the supervisor, to its end: says what was done, or why not. Takes the
 * request's reference. Returns the exit code. */
int ask_for_change(const char *name, const char *control, json_t *request, int timeout_ms,
		   const char *done);

/* Reads the options of a command that has none but --control; as options_read(). */
bool asking_options_read(int argc, char **argv, const char **ret_control, int *ret_code);

/* A whole command: no words, one request without anything in it. */
int ask_plainly(int argc, char **argv, const char *request, int timeout_ms, const char *done);

#endif
