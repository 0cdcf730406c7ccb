/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_IPTC_EXTENSION_H
#define BACKENDS_IPTC_EXTENSION_H

#include <stddef.h>
#include <stdint.h>

#include "backends/iptc_family.h"

/*
 * The matches and targets of the kernel that programs can contain: one revision each, the newest
 * that Linux 4.19 has.
 */
enum iptc_extension_id {
	MATCH_TCP,
	MATCH_UDP,
	MATCH_SCTP,
	MATCH_DCCP,
	MATCH_MULTIPORT,
	MATCH_ICMP,
	MATCH_ICMP6,
	MATCH_CONNTRACK,
	MATCH_ADDRTYPE,
	MATCH_TTL,
	MATCH_HL,
	MATCH_OWNER,
	MATCH_SET,
	MATCH_LIMIT,
	MATCH_HASHLIMIT,
	MATCH_MARK,
	MATCH_COMMENT,
	TARGET_MARK,
	TARGET_SET,
	TARGET_NFLOG,
	TARGET_NFQUEUE,
	TARGET_REJECT,
	IPTC_EXTENSION_COUNT,
};

struct iptc_extension {
	const char *name;
	bool is_target;
	uint8_t revision;
	unsigned int families; /* enum rule_family */
	size_t size;	       /* of its data */
	size_t user_size;      /* what of that the kernel keeps as it was given */
	const char *option;    /* of the kernel */
};

extern const struct iptc_extension iptc_extensions[IPTC_EXTENSION_COUNT];

/* By what stands in an entry; NULL: none of ours. */
const struct iptc_extension *iptc_extension_find(const char *name, bool is_target,
						 uint8_t revision);

/* Asks the kernel for each extension of the family that is in the bits of `wanted`, loading modules
 * but changing nothing. -EOPNOTSUPP names the first that is missing and its option. */
int iptc_extension_check(const struct iptc_family *family, uint32_t wanted, struct error *error);

#define IPTC_EXTENSIONS_ALL ((UINT32_C(1) << IPTC_EXTENSION_COUNT) - 1)

/* What hardly a profile has; kernels may do without. */
#define IPTC_EXTENSIONS_RARE                                                                       \
	(UINT32_C(1) << MATCH_SCTP | UINT32_C(1) << MATCH_DCCP | UINT32_C(1) << MATCH_MULTIPORT)

#endif
