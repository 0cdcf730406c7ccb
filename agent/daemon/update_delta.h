/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_UPDATE_DELTA_H
#define DAEMON_UPDATE_DELTA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "profiles/profile.h"

/*
 * What became of the entries of files, path by path: {"added": …, "changed": …, "removed": …}, each
 * {"programs": […], "scripts": […], "libraries": […]} in the shapes of a policy. changed: all
 * entries that such a path has now.
 */

/* Both profiles are canonicalised. Returns 0 and a new reference, or negative errno. */
int update_delta(struct profile *before, struct profile *after, json_t **ret_delta,
		 struct error *error);

/* Entries under "added", "changed" or "removed". */
size_t update_delta_count(const json_t *delta, const char *change);

#endif
