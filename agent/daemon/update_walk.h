/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_UPDATE_WALK_H
#define DAEMON_UPDATE_WALK_H

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#include "base/error.h"

/* Whether files below are those of the package manager, of users, or of the moment, and not what an
 * installation leaves to be run. docs/updating.md has the list. */
bool update_is_left_out(const char *directory);

/* Whether the name is that of a file on its way in or out ("x.dpkg-new", "x.dpkg-old"). */
bool update_is_passing_name(const char *name);

/* Whether the file's status changed at that time or later. Filesystems that keep whole seconds, or
 * two of them (FAT), are given the benefit of the doubt. */
bool update_is_since(const struct stat *status, const struct timespec *since);

/* now, in the clock that filesystems stamp files with. */
struct timespec update_clock(void);

struct update_walk {
	struct timespec since;
	/* A regular file; path: raw bytes. A negative result ends the walk. */
	int (*found)(void *context, const char *path, const struct stat *status);
	/* A place that could not be looked into, and why. */
	void (*missed)(void *context, const char *path, const char *why);
	void *context;
};

/* Every filesystem that can hold programs, but not FUSE and network filesystems (which are missed):
 * reading these may take for ever. Returns 0, what found() returned, or a negative errno. */
int update_walk(const struct update_walk *walk, struct error *error);

#endif
