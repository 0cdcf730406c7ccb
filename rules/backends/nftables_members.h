/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_NFTABLES_MEMBERS_H
#define BACKENDS_NFTABLES_MEMBERS_H

#include "backends/nftables_link.h"
#include "rules/program.h"

/*
 * Members of the kernel's sets. Those of a family that the set does not have are passed over.
 * Errors are the kernel's, but a set that is full is -ENOSPC.
 */

/* For sets without intervals: puts them in, with their time begun anew, or takes them out. */
int nftables_members_add(struct nftables_link *link, const struct rule_set *set,
			 const struct rule_member *members, size_t count, uint32_t *transactions);
int nftables_members_remove(struct nftables_link *link, const struct rule_set *set,
			    const struct rule_member *members, size_t count,
			    uint32_t *transactions);

/* For sets with intervals: the set's members, which do not overlap, are those of the kernel's set,
 * in one transaction. */
int nftables_members_replace(struct nftables_link *link, const struct rule_set *set,
			     uint32_t *transactions);

#endif
