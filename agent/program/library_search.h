/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROGRAM_LIBRARY_SEARCH_H
#define PROGRAM_LIBRARY_SEARCH_H

#include "program/executable_format.h"

/*
 * Which file the loader takes for a DT_NEEDED name: ld.so(8) without LD_LIBRARY_PATH and with the
 * directories of ld.so.conf in place of the cache that ldconfig(8) makes of them; musl's path file
 * where there is one.
 */
struct library_places;

#define LOADER_CONFIGURATION "/etc/ld.so.conf"
#define LOADER_PATH_PATTERN  "/etc/ld-musl-*.path"

/* What cannot be read adds no directories. Returns 0 or -ENOMEM. */
int library_places_new(const char *configuration, const char *path_pattern,
		       struct library_places **ret_places);
void library_places_free(struct library_places *places);

/* A file that needs libraries, and what needs that one (NULL: it is the program). */
struct library_user {
	const char *path; /* real, absolute */
	const struct executable_format *format;
	const struct library_user *parent;
};

/* Calls back with the real path of every file that may be taken: the first directory's that has one
 * of that machine, and its variants for newer processors. Returns 0, -ENOENT when there is none, or
 * what the callback returned. */
typedef int (*library_found_fn)(void *context, const char *path);
int library_search(const struct library_places *places, const struct library_user *user,
		   const char *name, library_found_fn found, void *context);

#endif
