/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RULES_RENDER_H
#define RULES_RENDER_H

#include <stdio.h>

#include "rules/program.h"

/*
 * A rule program as each backend's own text: what people review, what CI compares, and (nftables,
 * ipset) what is handed to the backend's library. Whether writing worked shows on the stream.
 */

/* Where two programs follow each other the sets of both are there for a moment: 'a' and 'b' in
 * turn. release_mark: what the gate marks released packets with (iptables only: there a held packet
 * goes through the same chain again); nobody who may not set marks can know it. */
struct render_instance {
	char generation;
	uint32_t release_mark;
};

#define RENDER_INSTANCE_DEFAULT                                                                    \
	{                                                                                          \
		.generation = 'a', .release_mark = 0x72740000                                      \
	}			     /* for reading */
#define RENDER_MARK_MASK 0xffff0000u /* the bits of release_mark that count */

#define RENDER_PREFIX	    "rtguard"  /* table of nftables; "rtguard-a4-names": a set of ipset */
#define RENDER_CHAIN_PREFIX "RTGUARD-" /* "RTGUARD-OUT", "RTGUARD-REFUSE-IN" */

#define RENDER_SET_NAME_SIZE   32 /* IPSET_MAXNAMELEN */
#define RENDER_CHAIN_NAME_SIZE 29 /* XT_EXTENSION_MAXNAMELEN */

/* family: '4', '6', or 'x' for sets of ports. */
void render_set_name(const struct rule_set *set, char family, char generation,
		     char name[RENDER_SET_NAME_SIZE]);
void render_chain_name(const struct rule_chain *chain, char name[RENDER_CHAIN_NAME_SIZE]);

/* iptables-restore --noflush: our chains and one jump from each of the table's own. family: one of
 * enum rule_family. */
void render_iptables(const struct rule_program *program, unsigned int family,
		     const struct render_instance *instance, FILE *stream);

/* ipset restore: all sets with their members. */
void render_ipset(const struct rule_program *program, const struct render_instance *instance,
		  FILE *stream);

/* nft -f: one transaction that puts the table in the place of the one before. */
void render_nftables(const struct rule_program *program, FILE *stream);

#endif
