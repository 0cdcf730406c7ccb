/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_IPTC_MATCHES_H
#define BACKENDS_IPTC_MATCHES_H

#include "backends/iptc_entry.h"
#include "rules/program.h"
#include "rules/render.h"

/* Where a chain's packets come from decides which end is the remote one. */
enum iptc_way { IPTC_OUT, IPTC_IN };

/* What rules are written for. */
struct iptc_setting {
	const struct iptc_family *family;
	const struct rule_program *program;
	struct render_instance instance;
	const uint16_t *set_indices; /* of this family, by the program's numbers */
};

/* What an entry's header has of the match. */
struct iptc_header iptc_match_header(enum iptc_way way, const struct rule_match *match);

/* Appends the matches, without the comment. place: of the rule in the program, "in-3", for
 * what the kernel keeps by name. */
void iptc_match_write(struct iptc_entry *entry, const struct iptc_setting *setting,
		      enum iptc_way way, const struct rule_match *match, const char *place);

/* "-m mark [!] --mark" for the bits of the release mark. */
void iptc_match_release(struct iptc_entry *entry, const struct iptc_setting *setting, bool absent);

void iptc_match_comment(struct iptc_entry *entry, const char *comment);

#endif
