/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILES_FILTER_H
#define PROFILES_FILTER_H

#include "profiles/profile.h"

/* What to keep of a profile. A pattern is a part of the text, or with any of "*?[" in it a shell
 * pattern (fnmatch(3)) for the whole text. */
struct profile_filter {
	const char *program; /* programs, and what belongs to them; NULL: all */
	const char *peer;    /* connections to such peers and such names, nothing else; NULL: all */
};

/* Removes what does not fit. With any pattern the libraries and the signature go as well: the one
 * belongs to no program, the other to the whole. */
void profile_keep(struct profile *profile, const struct profile_filter *filter);

/* Removes the entries of exactly that path. */
void profile_drop_program(struct profile *profile, const char *path);
void profile_drop_script(struct profile *profile, const char *path);
void profile_drop_library(struct profile *profile, const char *path);

#endif
