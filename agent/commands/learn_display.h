/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_LEARN_DISPLAY_H
#define COMMANDS_LEARN_DISPLAY_H

#include "daemon/learning.h"

/* How learning shows itself: redrawn in place on a terminal, a line now and then elsewhere, JSON
 * lines for programs. */
struct learn_display;

enum learn_display_kind {
	DISPLAY_TERMINAL,
	DISPLAY_LINES,
	DISPLAY_JSON,
};

/* Prints to stderr, JSON to stdout. NULL when memory is out. */
struct learn_display *learn_display_new(enum learn_display_kind kind);
void learn_display_free(struct learn_display *display);

/* A learning_progress_fn; context is the display. */
void learn_display_progress(void *context, const struct learning_progress *progress);

/* The last word: where the profile is and how far to trust it. */
void learn_display_result(struct learn_display *display, const char *output,
			  const struct learning_result *result);

#endif
