/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_IPTC_TARGETS_H
#define BACKENDS_IPTC_TARGETS_H

#include "backends/iptc_matches.h"

/* Each ends an entry as the rule's verdict says. */
void iptc_target_hold(struct iptc_entry *entry, const struct iptc_setting *setting,
		      const struct rule *rule);
void iptc_target_unmark(struct iptc_entry *entry, const struct iptc_setting *setting);
void iptc_target_report(struct iptc_entry *entry, const struct iptc_setting *setting,
			const char *prefix);
void iptc_target_note(struct iptc_entry *entry, const struct iptc_setting *setting,
		      enum iptc_way way, const struct rule *rule);

/* reset: TCP's own answer, of which the entry must be; else: administratively prohibited. */
void iptc_target_reject(struct iptc_entry *entry, const struct iptc_setting *setting, bool reset);

#endif
