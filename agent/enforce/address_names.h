/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENFORCE_ADDRESS_NAMES_H
#define ENFORCE_ADDRESS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"

/* Which names an address goes by. Bounded: the address touched longest ago makes room, and an
 * address keeps the last few names that were given to it. */
struct address_names;

#define ADDRESS_NAMES_EACH 8 /* a CDN's address serves many; those of one device are few */

/* limit: most addresses. Returns 0 or -ENOMEM. */
int address_names_new(struct address_names **ret_names, size_t limit);
void address_names_free(struct address_names *names);

/* Returns 0 or -ENOMEM. */
int address_names_add(struct address_names *names, const struct ip_address *address,
		      const char *name);

/* Calls back for each name of the address until the callback returns true; whether it did. */
bool address_names_any(struct address_names *names, const struct ip_address *address,
		       bool (*fits)(void *context, const char *name), void *context);

/* Whether the address has a name at all. */
bool address_names_has(struct address_names *names, const struct ip_address *address);

#endif
