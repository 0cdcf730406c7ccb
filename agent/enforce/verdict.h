/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENFORCE_VERDICT_H
#define ENFORCE_VERDICT_H

#include <stdbool.h>

#include "base/error.h"
#include "observe/observation.h"
#include "profiles/profile.h"

/*
 * Whether a profile permits a flow that a station opens. What the network said in the meantime (DNS
 * answers, announced roles) is taken in with verdict_observe() before the flows that follow from
 * it, as an enforcer would fill its sets. The rule in words is in docs/learning.md, "Judging".
 */
struct verdict;

/* network: the part of the profile that speaks of the station: &profile->network, or a device's.
 * Both are borrowed until verdict_free(). Returns 0 or -ENOMEM. */
int verdict_new(const struct profile *profile, const struct profile_network *network,
		struct verdict **ret_verdict);
void verdict_free(struct verdict *verdict);

/* Takes in NAME and ROLE; other kinds are ignored. */
void verdict_observe(struct verdict *verdict, const struct observation *observation);

bool verdict_permits(struct verdict *verdict, const struct observed_flow *flow);

/* The same for one program. Where no entry says who, any may. */
enum verdict_binding {
	VERDICT_REFUSED,       /* as verdict_permits() */
	VERDICT_OTHER_PROGRAM, /* permitted, but not for this one */
	VERDICT_PERMITTED,
};

/* program: the path of its executable; NULL: not known, permitted is what is so for any. */
enum verdict_binding verdict_permits_program(struct verdict *verdict,
					     const struct observed_flow *flow, const char *program);

/* Addresses within the prefix are on this station's own links, whatever they look like. Returns 0
 * or -ENOMEM. */
int verdict_add_link(struct verdict *verdict, const struct ip_address *prefix, unsigned int length);

/* The part of a profile that speaks of a device: its entry under bridge, else the host's own. */
const struct profile_network *verdict_network_of(const struct profile *profile,
						 const struct mac_address *mac);

#endif
