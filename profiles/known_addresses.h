/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILES_KNOWN_ADDRESSES_H
#define PROFILES_KNOWN_ADDRESSES_H

#include "profiles/profile.h"

/* The addresses that names had while the profile was learnt, from its evidence. What is no address
 * there is passed over. Stops at the first callback that returns less than 0, and returns that;
 * else 0. */
typedef int (*known_address_fn)(void *context, const char *name, const struct ip_address *address);
int known_addresses_each(const struct profile *profile, known_address_fn each, void *context);

#endif
