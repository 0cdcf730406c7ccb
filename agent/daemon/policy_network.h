/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_POLICY_NETWORK_H
#define DAEMON_POLICY_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "profiles/profile.h"

/* How much of a network a profile permits: told before anything is refused. */
struct policy_network {
	size_t listeners;
	size_t connections;
	size_t names;	       /* hosts, domains and patterns that may be contacted or asked for */
	size_t bound_programs; /* programs that connections belong to */
};

/* What the gate needs of a profile (gate/gate.h, GATE_APPLY): its network, the users of its
 * programs, and of the evidence addresses and roles; as canonical JSON in a sealed descriptor, the
 * caller's. */
int policy_network_take(const struct profile *profile, struct policy_network *ret_summary,
			int *ret_memory, struct error *error);

/* Bytes in a descriptor that nobody can change any more. name: for /proc. */
int policy_memory_new(const char *name, const void *bytes, size_t size, int *ret_memory,
		      struct error *error);

#endif
