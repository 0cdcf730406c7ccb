/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENFORCE_POLICY_BLOCK_H
#define ENFORCE_POLICY_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enforce/program_policy.h"

/*
 * Within enforce/ only: the block of a program policy. A header, then arrays of records; records
 * refer to each other by index and to text by its offset among the strings. Numbers are the
 * machine's own: a block never leaves it. program_policy_open() checks every index once, so that
 * whoever reads later need not.
 */
#define POLICY_MAGIC	  UINT64_C(0x317963696c6f7074) /* "tpolicy1" */
#define POLICY_SIZE_LIMIT (256u * 1024 * 1024)
#define POLICY_NOWHERE	  UINT32_MAX

enum policy_part {
	PART_CONTENTS,	    /* struct policy_content */
	PART_CONTENT_SLOTS, /* uint32_t: index of a content plus one, or 0; open addressing */
	PART_PATH_SLOTS,    /* uint32_t: offset of a string plus one, or 0; open addressing */
	PART_PROGRAMS,	    /* struct policy_program */
	PART_ENTRIES,	    /* struct policy_entry */
	PART_VECTORS,	    /* struct policy_vector */
	PART_SCRIPTS,	    /* struct policy_script */
	PART_WORDS,	    /* uint32_t: offset of a string */
	PART_STRINGS,	    /* char: each string with its NUL */
	PART_COUNT,
};

struct policy_range {
	uint32_t first;
	uint32_t count;
};

struct program_policy {
	uint64_t magic;
	uint64_t size;			       /* of the whole block */
	struct policy_range parts[PART_COUNT]; /* first: offset in bytes, a multiple of 8 */
	uint32_t programs;		       /* distinct contents, for people */
	uint32_t pinned;
	uint32_t libraries;
	uint32_t scripts;
};

struct policy_content {
	uint8_t sha256[32];
	uint32_t uses;
	uint32_t program;
	uint32_t script;
};

enum {
	PROGRAM_PINNED = 1 << 0,
	PROGRAM_BY_NAME = 1 << 1, /* what it does depends on argv[0]; vectors begin with an applet
				   */
	PROGRAM_KNOWS_READS = 1 << 2,
};

/* One content that runs: all entries of the profile with its checksum. */
struct policy_program {
	uint32_t flags;
	struct policy_range entries;
	struct policy_range vectors;
	struct policy_range reads; /* words, sorted by text */
};

enum {
	ENTRY_ANY_ARGUMENTS = 1 << 0,
	ENTRY_ORDINARY = 1 << 1, /* by its name neither interpreter nor multi-call binary */
};

struct policy_entry {
	uint32_t path; /* entries of a program are sorted by this number */
	uint32_t flags;
	struct policy_range users; /* words */
};

struct policy_vector {
	struct policy_range words;
	uint32_t script; /* which of its words names the script, or POLICY_NOWHERE */
};

struct policy_script {
	uint32_t any_interpreter;
	struct policy_range interpreters; /* words, sorted by number */
};

extern const size_t policy_record_size[PART_COUNT];

static inline const void *policy_part(const struct program_policy *policy, enum policy_part part)
{
	return (const char *)policy + policy->parts[part].first;
}

static inline const char *policy_string(const struct program_policy *policy, uint32_t offset)
{
	return (const char *)policy_part(policy, PART_STRINGS) + offset;
}

static inline const struct policy_program *policy_program(const struct program_policy *policy,
							  uint32_t program)
{
	const struct policy_program *programs = policy_part(policy, PART_PROGRAMS);

	return program < policy->parts[PART_PROGRAMS].count ? &programs[program] : NULL;
}

static inline const uint32_t *policy_words(const struct program_policy *policy,
					   const struct policy_range *range)
{
	return (const uint32_t *)policy_part(policy, PART_WORDS) + range->first;
}

/* Where open addressing begins to look. */
static inline uint32_t policy_content_hash(const uint8_t sha256[32])
{
	return (uint32_t)sha256[0] | (uint32_t)sha256[1] << 8 | (uint32_t)sha256[2] << 16 |
	       (uint32_t)sha256[3] << 24;
}

uint32_t policy_string_hash(const char *string);

/* The base name of argv[0], without the '-' of a login shell. */
const char *policy_called_name(const char *argv0);

/* Which word of the vector names the script: 1 and up, 0: none. path: the interpreter's, or the
 * applet's name. */
size_t policy_script_word(const char *path, const struct arguments *arguments);

/* Leaves the words "busybox" away that stand before an applet's name. */
void policy_skip_multiplexer(struct arguments *arguments);

#endif
