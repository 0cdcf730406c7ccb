/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LEARN_DOMAIN_H
#define LEARN_DOMAIN_H

#include <stdbool.h>

#include "base/error.h"
#include "observe/observation.h"

/* Who owns a host name, by the public suffix list (publicsuffix.org). */
struct domains;

/* The list is built into the library; without it two labels count as a domain. What lies above a
 * private suffix the library cannot tell: rules_path, if it can be read, is the list as a file that
 * does. Returns 0 or -ENOMEM. */
#define DOMAIN_RULES "/usr/share/publicsuffix/public_suffix_list.dat"
int domains_new(const char *rules_path, struct domains **ret_domains);
void domains_free(struct domains *domains);

/* The registrable domain of a name, a part of the name itself: the public suffix (of both sections)
 * and one label. NULL when the name is itself a suffix or has one label only. */
const char *domain_of(const struct domains *domains, const char *name);

/* Whether strangers share the domain: it belongs to a platform (cloud, content network, dynamic
 * DNS) or lies above a suffix under which a platform rents out names. */
bool domain_is_shared(const struct domains *domains, const char *domain);

/* The name with every run of digits left of its domain as one '#'. Unchanged where strangers share
 * the domain, but for ntp.org, whose numbers are one pool. */
void domain_number_pattern(const struct domains *domains, const char *name,
			   char ret_pattern[NAME_SIZE]);

#endif
