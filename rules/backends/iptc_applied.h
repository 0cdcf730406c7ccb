/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_IPTC_APPLIED_H
#define BACKENDS_IPTC_APPLIED_H

#include "backends/backend.h"
#include "backends/ip_sets.h"
#include "backends/iptc_rules.h"

/* What has to be known of a program once it is in force: its sets, which of its chains refuse what,
 * and how its rules look. */
struct iptc_counted {
	char chain[XT_EXTENSION_MAXNAMELEN];
	enum rule_hook way; /* HOOK_OUT, HOOK_IN, HOOK_FORWARD: where its packets come from */
	bool permits;	    /* audit: what goes back from here would have been refused */
};

struct iptc_applied {
	char generation;       /* of its sets; NUL: nothing was applied */
	struct rule_set *sets; /* the program's, without members */
	size_t set_count;
	struct iptc_counted *counted;
	size_t counted_count;
	bool is_there[IPTC_FAMILY_COUNT];
	struct iptc_digest digests[IPTC_FAMILY_COUNT];
};

/* applied must be zeroed; rules and is_there are one for each family. 0 or -ENOMEM. */
int iptc_applied_new(struct iptc_applied *applied, const struct rule_program *program,
		     char generation, const struct iptc_rules *rules, const bool *is_there,
		     struct error *error);
void iptc_applied_free(struct iptc_applied *applied);

/* Adds the refused packets of one family's rules. */
void iptc_applied_count(const struct iptc_applied *applied, const struct iptc_family *family,
			const struct iptc_rules *rules, struct backend_counts *counts);

/* 0, or -ESTALE and what is different. index: of the family. */
int iptc_applied_check(const struct iptc_applied *applied, size_t index,
		       const struct iptc_rules *rules, struct error *error);
int iptc_applied_check_sets(const struct iptc_applied *applied, struct ip_sets *sets,
			    struct error *error);

#endif
