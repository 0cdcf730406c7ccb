/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILES_PROFILE_JSON_H
#define PROFILES_PROFILE_JSON_H

#include "profiles/profile.h"

/*
 * The file. Reading validates everything in the same pass: unknown keys under policy, types, sizes,
 * duplicates, names, checksums, addresses. The error names the file, the place as a JSON pointer
 * ("/policy/connections/3/port"; line and column for syntax errors) and what is expected there.
 */

/* Why bytes are no profile, in parts, for whoever needs the place by itself. */
struct profile_fault {
	int code;	   /* EINVAL: content, EFBIG: bounds, ENOMEM */
	char place[320];   /* JSON pointer, "line 3, column 5", or "" for the whole file */
	char message[176]; /* what is expected there and what was found */
};

/* -EINVAL for content, -EFBIG for bounds, otherwise file_read()'s errors. */
int profile_load(const char *path, struct profile **ret_profile, struct error *error);

/* The same from memory; origin stands in messages where the path would. */
int profile_parse(const char *origin, const char *bytes, size_t size, struct profile **ret_profile,
		  struct error *error);

/* The same, with the fault in parts. */
int profile_examine(const char *bytes, size_t size, struct profile **ret_profile,
		    struct profile_fault *ret_fault);

/* Canonical text (sorted arrays, fixed key order, two-space indent, final newline), to be freed.
 * The profile is canonicalised on the way. -EINVAL where an entry is not what the format allows:
 * whatever is written can be read again. */
int profile_format(struct profile *profile, char **ret_text, struct error *error);

/* profile_format() and file_replace(). */
int profile_save(struct profile *profile, const char *path, struct error *error);

/* The canonical bytes of device and policy alone: what a signature covers and what is compared. */
int profile_signed_bytes(struct profile *profile, char **ret_text, struct error *error);

#endif
