/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_IPTC_RULES_H
#define BACKENDS_IPTC_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/iptc_entry.h"
#include "backends/iptc_family.h"

/*
 * What one table holds of ours: the chains whose names begin with RENDER_CHAIN_PREFIX, and the
 * jumps to them in others' chains. Read from a snapshot, or built from a program; put into a
 * snapshot.
 */
struct iptc_chain {
	char name[XT_EXTENSION_MAXNAMELEN];
	void **entries; /* owned; jumps name their chain */
	size_t entry_count;
	size_t entry_capacity;
};

struct iptc_jump {
	char chain[XT_TABLE_MAXNAMELEN]; /* not ours: "OUTPUT" */
	unsigned int place;		 /* among its rules, from 1 on */
	void *entry;			 /* owned */
};

struct iptc_rules {
	struct iptc_chain *chains;
	size_t chain_count;
	size_t chain_capacity;
	struct iptc_jump *jumps;
	size_t jump_count;
	size_t jump_capacity;
	uint32_t extensions; /* that occur in what was built: bits, enum iptc_extension_id */
};

void iptc_rules_free(struct iptc_rules *rules);
bool iptc_rules_are_empty(const struct iptc_rules *rules);

/* NULL when memory is out. The pointer is valid until the next one is added. */
struct iptc_chain *iptc_rules_add_chain(struct iptc_rules *rules, const char *name);

/* Take a copy of the entry. 0 or -ENOMEM. */
int iptc_chain_append(struct iptc_chain *chain, const struct iptc_family *family,
		      const void *entry);
int iptc_rules_add_jump(struct iptc_rules *rules, const struct iptc_family *family,
			const char *chain, unsigned int place, const void *entry);

/* What a snapshot has of ours; rules must be zeroed. 0 or -ENOMEM. */
int iptc_rules_read(const struct iptc_family *family, struct xtc_handle *handle,
		    struct iptc_rules *rules);

/* Puts the rules in the place of what the snapshot has of ours; everything else in it stays as it
 * is. Nothing is in force before the commit. */
int iptc_rules_put(const struct iptc_family *family, struct xtc_handle *handle,
		   const struct iptc_rules *rules, struct error *error);

/* Some rule's "-m mark --mark MARK/mask": false and untouched where there is none. */
bool iptc_rules_find_mark(const struct iptc_family *family, const struct iptc_rules *rules,
			  uint32_t mask, uint32_t *ret_mark);

/* A check sum over what users of the kernel can see of the rules, whether built or read. */
struct iptc_digest {
	size_t chains;
	size_t rules;
	size_t jumps;
	uint32_t sum;	   /* of the chains' content */
	uint32_t jump_sum; /* of the jumps and their places */
};

struct iptc_digest iptc_rules_digest(const struct iptc_family *family,
				     const struct iptc_rules *rules);

#endif
