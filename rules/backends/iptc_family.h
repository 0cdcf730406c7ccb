/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_IPTC_FAMILY_H
#define BACKENDS_IPTC_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/netfilter/x_tables.h>

#include "base/error.h"

/*
 * What is different between the legacy tables of IPv4 and of IPv6, and nothing else is: two
 * libraries with the same calls under other names, and another header of an entry. Everything above
 * works on entries as bytes.
 */
struct xtc_handle; /* a snapshot of one table */

/* An entry's own fields, before its matches. */
struct iptc_header {
	bool has_protocol;
	uint8_t protocol;
	const char *in_interface; /* NULL: any */
	const char *out_interface;
};

struct iptc_family {
	unsigned int family; /* enum rule_family */
	char digit;	     /* in names of sets */
	const char *name;    /* "IPv4" */
	int domain;	     /* AF_INET */
	int level;	     /* of socket options */
	int ask_match;	     /* the kernel which revision of a match it has */
	int ask_target;
	const char *tables_file; /* the tables that there are in this network namespace */
	const char *module;
	const char *option; /* of the kernel, for the table */

	size_t entry_size; /* without matches and target */
	size_t target_offset_at;
	size_t next_offset_at;
	size_t counters_at;
	size_t header_size; /* what of an entry is the user's, from its beginning */
	void (*fill)(void *entry, const struct iptc_header *header);

	struct xtc_handle *(*init)(const char *table);
	void (*free)(struct xtc_handle *handle);
	int (*commit)(struct xtc_handle *handle);
	const char *(*describe)(int code);
	const char *(*first_chain)(struct xtc_handle *handle);
	const char *(*next_chain)(struct xtc_handle *handle);
	int (*create_chain)(const char *chain, struct xtc_handle *handle);
	int (*flush_chain)(const char *chain, struct xtc_handle *handle);
	int (*delete_chain)(const char *chain, struct xtc_handle *handle);
	const char *(*policy)(const char *chain, struct xt_counters *counters,
			      struct xtc_handle *handle);
	int (*set_policy)(const char *chain, const char *policy, struct xt_counters *counters,
			  struct xtc_handle *handle);
	const void *(*first_rule)(const char *chain, struct xtc_handle *handle);
	const void *(*next_rule)(const void *entry, struct xtc_handle *handle);
	const char *(*target)(const void *entry, struct xtc_handle *handle);
	int (*append)(const char *chain, const void *entry, struct xtc_handle *handle);
	int (*insert)(const char *chain, const void *entry, unsigned int place,
		      struct xtc_handle *handle);
	int (*delete_number)(const char *chain, unsigned int place, struct xtc_handle *handle);
};

#define IPTC_FAMILY_COUNT 2
extern const struct iptc_family iptc_families[IPTC_FAMILY_COUNT]; /* IPv4, IPv6 */

#define IPTC_TABLE "filter"

/* Whether the kernel has this family at all: without it there are no packets to filter. */
bool iptc_family_is_there(const struct iptc_family *family);

/* Whether table filter is in use in this network namespace: asking about it otherwise would bring
 * it here. */
bool iptc_family_has_table(const struct iptc_family *family);

/* A snapshot of table filter, to be given to family->free(). Loads the module where it is missing
 * and may be loaded. -EOPNOTSUPP: the kernel has no legacy tables, and which option says so. */
int iptc_family_open(const struct iptc_family *family, struct xtc_handle **ret_handle,
		     struct error *error);

static inline uint16_t iptc_target_offset(const struct iptc_family *family, const void *entry)
{
	return *(const uint16_t *)((const char *)entry + family->target_offset_at);
}

static inline uint16_t iptc_next_offset(const struct iptc_family *family, const void *entry)
{
	return *(const uint16_t *)((const char *)entry + family->next_offset_at);
}

static inline const struct xt_counters *iptc_counters(const struct iptc_family *family,
						      const void *entry)
{
	return (const struct xt_counters *)((const char *)entry + family->counters_at);
}

#endif
