/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENFORCE_POLICY_BUILD_H
#define ENFORCE_POLICY_BUILD_H

#include "enforce/policy_block.h"

/*
 * Within enforce/ only: the parts of a block while they grow. After a failure (memory, or the limit
 * of a block) further calls do nothing and return 0; policy_build_finish() tells.
 */
struct policy_build {
	struct {
		void *records;
		size_t count;
		size_t capacity;
	} parts[PART_COUNT];
	uint32_t *strings; /* slots of all strings: each is kept once */
	uint32_t string_slots;
	uint32_t string_count;
	uint32_t path_count;
	size_t bytes;
	int failed; /* negative errno */
};

/* entries: of all kinds together, which the slots are made for. Returns 0 or -ENOMEM. */
int policy_build_start(struct policy_build *build, size_t entries);
void policy_build_clear(struct policy_build *build);

/* Index of one more zeroed record, which is at *ret_record until the next one of the part. */
uint32_t policy_build_add(struct policy_build *build, enum policy_part part, void *ret_record);
void *policy_build_at(const struct policy_build *build, enum policy_part part, uint32_t index);
uint32_t policy_build_count(const struct policy_build *build, enum policy_part part);

uint32_t policy_build_string(struct policy_build *build, const char *string);
void policy_build_word(struct policy_build *build, const char *string);
void policy_build_path(struct policy_build *build, const char *path);

/* Index of the content with that checksum, made if there was none. */
uint32_t policy_build_content(struct policy_build *build, const uint8_t sha256[32]);

/* The block, to be freed. header: the counts for people. Returns 0, -ENOMEM or -EFBIG. */
int policy_build_finish(const struct policy_build *build, const struct program_policy *header,
			void **ret_block, size_t *ret_size);

#endif
