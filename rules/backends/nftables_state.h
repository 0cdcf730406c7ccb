/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_NFTABLES_STATE_H
#define BACKENDS_NFTABLES_STATE_H

#include "backends/backend.h"
#include "backends/nftables_link.h"

/*
 * What is in force in our table: enough to tell whether somebody else changed it. The kernel never
 * gives a handle twice, so who has the handles of chains, rules and sets in their order knows them;
 * members of sets that do not come and go are summed up.
 */
enum nftables_part { PART_TABLE, PART_CHAINS, PART_RULES, PART_SETS, PART_MEMBERS, PART_COUNT };

struct nftables_state {
	uint32_t sums[PART_COUNT];
	size_t counts[PART_COUNT];
};

/* -ENOENT: the table is gone; -EINTR: changed while it was read. sets: of the program in force. */
int nftables_state_read(struct nftables_link *link, const struct rule_set *sets, size_t set_count,
			struct nftables_state *ret_state);

/* The first part in which they differ, or PART_COUNT. */
enum nftables_part nftables_state_compare(const struct nftables_state *a,
					  const struct nftables_state *b);
const char *nftables_part_name(enum nftables_part part);

/* Packets that the counters of our table saw, chain by chain. */
typedef void (*nftables_count_fn)(void *context, const char *chain, uint64_t packets);
int nftables_state_counts(struct nftables_link *link, nftables_count_fn each, void *context);

#endif
