/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_ASSEMBLY_H
#define OBSERVE_NETWORK_ASSEMBLY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Bytes that arrive in pieces and in any order, put where they belong. What is there first stays:
 * later pieces fill gaps only. Zero-initialised is empty; memory comes with the first byte and
 * grows with the highest offset.
 */
#define ASSEMBLY_RANGES_MAX 4

struct assembly {
	uint8_t *bytes;
	size_t capacity;
	size_t range_count; /* disjoint, ascending, never touching */
	struct {
		size_t begin;
		size_t end;
	} ranges[ASSEMBLY_RANGES_MAX];
};

/* Returns 0; -EEXIST when the piece contradicts bytes that are there (it is left out entirely);
 * -ENOBUFS when it ends beyond limit or would be one gap too many; -ENOMEM. */
int assembly_add(struct assembly *assembly, size_t limit, size_t offset, const uint8_t *bytes,
		 size_t size);

/* How many bytes there are from offset 0 without a gap. */
size_t assembly_contiguous(const struct assembly *assembly);

/* Drops the first size contiguous bytes; what was at that offset is now at 0. */
void assembly_consume(struct assembly *assembly, size_t size);

void assembly_free(struct assembly *assembly);

#endif
