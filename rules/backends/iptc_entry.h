/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_IPTC_ENTRY_H
#define BACKENDS_IPTC_ENTRY_H

#include <stdint.h>

#include "backends/iptc_extension.h"

/*
 * One rule of a legacy table as the kernel's bytes: header, matches, target, each aligned as
 * XT_ALIGN says (linux/netfilter/x_tables.h). Until libiptc has taken it, a jump or verdict is
 * written by name.
 */
#define IPTC_ENTRY_SIZE 2048

struct iptc_entry {
	_Alignas(8) uint8_t bytes[IPTC_ENTRY_SIZE];
	size_t size;
	bool too_long;	     /* what did not fit was left out: the entry cannot be used */
	uint32_t extensions; /* that are in it, bits */
};

void iptc_entry_begin(struct iptc_entry *entry, const struct iptc_family *family,
		      const struct iptc_header *header);

/* Zeroed data of the extension, to be filled in; never NULL. */
void *iptc_entry_match(struct iptc_entry *entry, enum iptc_extension_id match);

/* Ends the entry. */
void *iptc_entry_target(struct iptc_entry *entry, const struct iptc_family *family,
			enum iptc_extension_id target);

/* Ends the entry with a verdict ("RETURN", "DROP") or a jump to a chain. */
void iptc_entry_verdict(struct iptc_entry *entry, const struct iptc_family *family,
			const char *name);

#endif
