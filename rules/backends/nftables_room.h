/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_NFTABLES_ROOM_H
#define BACKENDS_NFTABLES_ROOM_H

#include <stdio.h>

#include "backends/nftables_link.h"
#include "rules/program.h"

/*
 * What has to go before a program can be put in the place of another in one transaction: all rules
 * and sets that are in our table now, and the chains that the program does not have. Chains with a
 * hook that it has stay, and so do those that hold for its queues. In nft's language; nothing where
 * there is no table. 0 or negative errno.
 */
int nftables_room_write(struct nftables_link *link, const struct rule_program *program,
			FILE *stream);

#endif
