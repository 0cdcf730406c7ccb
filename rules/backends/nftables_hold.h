/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_NFTABLES_HOLD_H
#define BACKENDS_NFTABLES_HOLD_H

#include "backends/nftables_link.h"
#include "base/error.h"
#include "rules/program.h"

/*
 * How this kernel's nf_tables holds packets. Where it has no verdict for queues, iptables' target
 * NFQUEUE does it (linux/netfilter/nf_tables_compat.h). libnftables has no words for that, so it is
 * put in by a second transaction; what comes between the two waits in the same queues.
 */
enum nftables_hold {
	HOLD_BY_VERDICT, /* CONFIG_NFT_QUEUE */
	HOLD_BY_TARGET,	 /* CONFIG_NFT_COMPAT and CONFIG_NETFILTER_XT_TARGET_NFQUEUE */
	HOLD_NOT,
};

/* Leaves nothing behind. */
enum nftables_hold nftables_hold_probe(void);

/* ---- by target ---- */

/* From here on everything that the program may hold is held, until resume: in a table of its own,
 * before ours. */
int nftables_hold_pause(struct nftables_link *link, const struct rule_program *program,
			struct error *error);
void nftables_hold_resume(struct nftables_link *link);

/* The chains of render_nftables_chained() hold instead of dropping. */
int nftables_hold_fill(struct nftables_link *link, const struct rule_program *program,
		       struct error *error);

#endif
