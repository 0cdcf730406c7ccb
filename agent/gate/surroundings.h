/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_SURROUNDINGS_H
#define GATE_SURROUNDINGS_H

#include "base/error.h"
#include "loop/loop.h"
#include "rules/compile.h"

/* The network this host is in, from its routes and addresses (rtnetlink) and /etc/resolv.conf
 * (also the files of local resolvers that say whom these ask: resolver_files.c), followed while it
 * changes. */
struct surroundings;

/* changed: something is different from what surroundings_now() said before; not before 200 ms have
 * passed without another change, nor later than 2 s after the first. */
int surroundings_new(struct loop *loop, void (*changed)(void *context), void *context,
		     struct surroundings **ret_surroundings, struct error *error);
void surroundings_free(struct surroundings *surroundings);

/* Valid until the loop runs again. Lists are in order, nothing is in them twice; on_link has public
 * prefixes only, none within another. */
const struct rules_surroundings *surroundings_now(const struct surroundings *surroundings);

/* Whether an address is one of this host's own. */
bool surroundings_is_own(const struct surroundings *surroundings, const struct ip_address *address);

#endif
