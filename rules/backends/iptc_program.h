/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_IPTC_PROGRAM_H
#define BACKENDS_IPTC_PROGRAM_H

#include "backends/iptc_matches.h"
#include "backends/iptc_rules.h"

/*
 * A rule program as the rules of one family's table: the same that render_iptables() writes as
 * text. The hold stage is the beginning of the chain it belongs to; what was released and comes
 * again with the release mark passes it by and loses the mark.
 *
 * rules must be zeroed. Errors: -ENOMEM; -EINVAL for a program that the tables cannot say.
 */
int iptc_program_build(const struct iptc_setting *setting, struct iptc_rules *rules,
		       struct error *error);

#endif
