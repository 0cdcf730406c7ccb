/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_NFTABLES_HOLD_H
#define BACKENDS_NFTABLES_HOLD_H

#include "backends/nftables_link.h"
#include "base/error.h"
#include "rules/program.h"

/*
 * How this kernel's nf_tables holds packets. Where it has no verdict for queues, iptables' target
 * NFQUEUE does it (linux/netfilter/nf_tables_compat.h). libnftables has no words for that, so
 * chains with that target are made first, and rules jump to them.
 */
enum nftables_hold {
	HOLD_BY_VERDICT, /* CONFIG_NFT_QUEUE */
	HOLD_BY_TARGET,	 /* CONFIG_NFT_COMPAT and CONFIG_NETFILTER_XT_TARGET_NFQUEUE */
	HOLD_NOT,
};

/* Leaves nothing behind. */
enum nftables_hold nftables_hold_probe(void);

/* By target: chains of render_nftables_queue_chain() that hold, in our table, for the program's
 * rules to jump to. They stay from one program to the next. */
int nftables_hold_make(struct nftables_link *link, const struct rule_program *program,
		       struct error *error);

#endif
