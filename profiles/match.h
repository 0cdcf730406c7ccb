/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILES_MATCH_H
#define PROFILES_MATCH_H

#include <stdbool.h>

/* Whether a host name is the domain or below it. Both lower case, no final dot. */
bool name_in_domain(const char *name, const char *domain);

/* Whether a host name fits a pattern in which each '#' stands for one or more decimal digits. */
bool name_fits_pattern(const char *name, const char *pattern);

/* A host name (base/hostname.h) with at least one '#', none of them beside a digit or another '#':
 * so there is only one way to fit a name to it. */
bool pattern_is_valid(const char *pattern);

#endif
