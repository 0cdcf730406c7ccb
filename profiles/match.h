/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILES_MATCH_H
#define PROFILES_MATCH_H

#include "profiles/profile.h"

/* Whether a host name is the domain or below it. Both lower case, no final dot. */
bool name_in_domain(const char *name, const char *domain);

/* Whether a host name fits a pattern in which each '#' stands for one or more decimal digits. */
bool name_fits_pattern(const char *name, const char *pattern);

/* A valid lower-case host name in text: labels of 1 to 63 letters, digits, '-' and '_', at most 253
 * bytes in all, no final dot. */
bool name_is_valid(const char *name);

#endif
