/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILES_PROFILE_JSON_H
#define PROFILES_PROFILE_JSON_H

#include "profiles/profile.h"

/*
 * The file. Reading validates everything in the same pass: unknown keys under policy, types, sizes,
 * duplicates, names, checksums, addresses. The error names the file, the place as a JSON pointer
 * ("/policy/connections/3/port"; line and column for syntax errors) and what is expected there.
 */

/* -EINVAL for content, -EFBIG for bounds, otherwise file_read()'s errors. */
int profile_load(const char *path, struct profile **ret_profile, struct error *error);

/* The same from memory; origin stands in messages where the path would. */
int profile_parse(const char *origin, const char *bytes, size_t size, struct profile **ret_profile,
		  struct error *error);

/* Canonical text (sorted arrays, fixed key order, two-space indent, final newline), to be freed. The
 * profile is canonicalised on the way. */
int profile_format(struct profile *profile, char **ret_text, struct error *error);

/* profile_format() and file_replace(). */
int profile_save(struct profile *profile, const char *path, struct error *error);

/* The canonical bytes of device and policy alone: what a signature covers and what is compared. */
int profile_signed_bytes(struct profile *profile, char **ret_text, struct error *error);

#endif
