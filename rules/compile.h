/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RULES_COMPILE_H
#define RULES_COMPILE_H

#include "rules/program.h"

/*
 * Profile → rule program. Deterministic: the same profile, options and surroundings give the same
 * program. docs/rules.md has the chains in words.
 */

/* A packet is held for its program where an entry with a program permits it, and none without that
 * can be told by address and port. The gate judges by all entries: others may permit it as well,
 * and it may be for this host itself. Questions to resolvers are held for their names in any case.
 */
enum rules_binding {
	BIND_NONE,   /* any program may open what the profile permits one to open */
	BIND_LOOKUP, /* first packets are held until the socket's owner is known */
	BIND_USER,   /* by the socket's user, where the profile has a user that is this program's
			alone; else as BIND_LOOKUP */
};

struct rules_options {
	bool report_only; /* audit: reports what it would refuse, and refuses nothing */
	bool reject;	  /* refuses with an error instead of silence */
	enum rules_binding binding;
	bool permit_unknown_names; /* names outside the profile may be asked for (and open nothing)
				    */
	bool answer_ping;	   /* inbound echo requests */
	bool inbound_from_lan;	   /* listeners answer the local network only */
	bool leave_forwarded;	   /* says nothing about packets that this host passes on; nor does
				      a profile with bridged devices */
	uint32_t inbound_per_s;	   /* new connections of one source; 0: no limit */
	uint16_t first_queue;
	uint16_t log_group;
	/* user ids for BIND_USER; NULL: the machine's own cannot be asked, BIND_USER is
	 * BIND_LOOKUP. Returns 0 or -ENOENT. */
	int (*user_id)(const char *name, uint32_t *ret_user);
};

#define RULES_OPTIONS_DEFAULT                                                                      \
	{                                                                                          \
		.binding = BIND_LOOKUP, .inbound_per_s = 200, .first_queue = 21800,                \
		.log_group = 21800                                                                 \
	}

/* What the network this host is in looks like at the moment, beyond what addresses tell by
 * themselves (profiles/peer_place.h). Lists may be empty: compiled away from the machine, the
 * profile's evidence says who was resolver and gateway, and any neighbour may be the gateway. */
struct rules_surroundings {
	bool known; /* the lists were read on the machine */
	const struct ip_address *resolvers;
	size_t resolver_count;
	const struct ip_address *gateways;
	size_t gateway_count;
	const struct rule_member *on_link; /* prefixes; private ones are local anyway */
	size_t on_link_count;
};

/* Sets that change with the surroundings, for those who keep them true. */
#define RULES_SET_RESOLVERS "resolvers"
#define RULES_SET_GATEWAYS  "gateways"
#define RULES_SET_LAN	    "lan"

/* surroundings: NULL for none known. Errors: -ENOMEM, -E2BIG for what no packet filter can hold. */
int rules_compile(const struct profile *profile, const struct rules_options *options,
		  const struct rules_surroundings *surroundings, struct rule_program **ret_program,
		  struct error *error);

/* Adds to the program's sets what the profile's evidence has of names' addresses, each for that
 * long: so that a device comes up while nobody resolves. Returns how many or -ENOMEM. */
int rules_seed(struct rule_program *program, const struct profile *profile, uint32_t timeout_s);

#endif
