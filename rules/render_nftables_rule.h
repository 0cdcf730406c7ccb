/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RULES_RENDER_NFTABLES_RULE_H
#define RULES_RENDER_NFTABLES_RULE_H

#include <stdio.h>

#include "rules/program.h"

/* One rule of a chain in nft's language: a line, or one for each family where what it looks at has
 * two forms (addresses, hop limit). queues_are_chains: see render_nftables_table(). */
void nftables_write_rule(const struct rule_program *program, uint16_t chain, size_t index,
			 bool queues_are_chains, FILE *stream);

#define NFTABLES_PROTOCOL_SIZE 12

/* As nft's grammar has it, so that nothing has to look into /etc/protocols. */
void nftables_protocol(uint8_t protocol, char text[NFTABLES_PROTOCOL_SIZE]);

#define NFTABLES_RATE_NAME_SIZE 48

/* The set with the rates of the sources that this rule has seen. */
void nftables_rate_name(const struct rule_chain *chain, size_t index, char family,
			char name[NFTABLES_RATE_NAME_SIZE]);

#endif
