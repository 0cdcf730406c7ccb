/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RULES_RENDER_IPTABLES_RULE_H
#define RULES_RENDER_IPTABLES_RULE_H

#include <stdio.h>

#include "rules/render.h"

/* One rule of a chain, as iptables-save writes it; name: the chain that it is put into. False, and
 * nothing written, where it cannot hold in that family. */
bool iptables_write_rule(const struct rule_program *program, uint16_t chain, size_t index,
			 const char *name, unsigned int family,
			 const struct render_instance *instance, FILE *stream);

#endif
