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

/* nftables' own: "names4", "names6"; a set of ports is one for both: "ports". */
void render_nftables_set_name(const struct rule_set *set, char family,
			      char name[RENDER_SET_NAME_SIZE]);

/* ---- what all of them, and the backends, read out of a program ---- */

/* The hook from which packets come to this chain; HOOK_NONE: none do. */
enum rule_hook render_chain_hook(const struct rule_program *program, uint16_t chain);

/* Whether packets of this chain come in (remote is the source), by the hook that it is reached
 * from. What is passed on counts as going out. */
bool render_chain_is_inbound(const struct rule_program *program, uint16_t chain);

/* The families that a rule can hold in at all: an ICMP type has one, IPv6 has no broadcast, and a
 * set that has to hold the packet, or to take it up, may be of one family. */
unsigned int render_rule_families(const struct rule_program *program, const struct rule *rule);

/* Whether the packets of this rule are counted as refused: what ends a chain of refusals. */
bool render_is_refusal(const struct rule_chain *chain, const struct rule *rule);

/* How many members a set has room for: those that come while the program works too. */
uint32_t render_set_room(const struct rule_set *set);

/* ipset: one bucket for each member it begins with; the kernel would double them one by one. */
uint32_t render_set_buckets(const struct rule_set *set);

/* Whether nftables keeps the set as intervals. */
bool render_set_has_intervals(const struct rule_set *set);

/* iptables-restore --noflush: our chains and one jump from each of the table's own. family: one of
 * enum rule_family. */
void render_iptables(const struct rule_program *program, unsigned int family,
		     const struct render_instance *instance, FILE *stream);

/* ipset restore: all sets with their members. */
void render_ipset(const struct rule_program *program, const struct render_instance *instance,
		  FILE *stream);

/* nft -f: one transaction that puts the table in the place of the one before. */
void render_nftables(const struct rule_program *program, FILE *stream);

/* The table alone, where a backend has made room for it. queues_are_chains: the kernel has no
 * verdict for queues (CONFIG_NFT_QUEUE), and what is held jumps to a chain that the backend has
 * made for it.
 */
void render_nftables_table(const struct rule_program *program, bool queues_are_chains,
			   FILE *stream);
void render_nftables_queue_chain(unsigned int number, bool passes_unheard,
				 char name[RENDER_SET_NAME_SIZE]);

#endif
