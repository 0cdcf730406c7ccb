/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LEARN_DRAFTS_H
#define LEARN_DRAFTS_H

#include "base/map.h"
#include "learn/generalise.h"

/* A set of drafts while the strategy runs; after the first failure adding does nothing. */
struct draft_set {
	struct map *map; /* struct draft_key to struct draft */
	bool broken;
};

/* Returns 0 or -ENOMEM. */
int draft_set_new(struct draft_set *set);
void draft_set_free(struct draft_set *set);

/* The draft under the key, made if need be; NULL once the set is broken. */
struct draft *draft_set_add(struct draft_set *set, const struct draft_key *key);

/* Tells the draft (NULL is allowed) programs that need it. */
void draft_set_add_program(struct draft_set *set, struct draft *draft, uint32_t program);
void draft_set_add_programs(struct draft_set *set, struct draft *draft,
			    const struct program_set *programs);

/* Moves out what no wider draft implies, sorted; who needs one that goes needs the wider. Returns 0
 * or -ENOMEM. */
int draft_set_finish(struct draft_set *set, struct drafts *ret_drafts);

/* Whether everything that narrow covers is covered by wide. */
bool draft_implies(const struct draft_key *wide, const struct draft_key *narrow);

/* Keys with everything else zero. */
struct draft_key draft_role(uint8_t protocol, enum profile_role role,
			    enum profile_port_kind port_kind, uint16_t port);
struct draft_key draft_name(uint8_t protocol, enum profile_peer_kind kind, const char *name);
struct draft_key draft_address(uint8_t protocol, const struct ip_address *address,
			       unsigned int prefix_length);

/* Sets port or ICMP type, whichever the protocol has. */
void draft_set_port(struct draft_key *key, uint16_t port);

#endif
