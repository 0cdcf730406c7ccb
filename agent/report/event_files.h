/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_EVENT_FILES_H
#define REPORT_EVENT_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Within report/ only: the two files that take turns, of which one is written to. */
struct event_files {
	int fds[2]; /* -1: in memory only */
	off_t sizes[2];
	size_t limit;
	unsigned int current;
	uint64_t last_id; /* of what was there when they were opened */
};

/* Makes the directory and the files, finds the last id, and ends a line that a crash cut short.
 * directory NULL: nothing is written. */
int event_files_open(struct event_files *files, const char *directory, size_t limit,
		     struct error *error);
void event_files_close(struct event_files *files);

/* The line and a newline, whole or not at all; empties the other file and goes on there when this
 * one is full. Opens nothing. Returns 0 or negative errno. */
int event_files_append(struct event_files *files, const char *line, size_t size);

#endif
