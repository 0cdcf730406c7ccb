/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENFORCE_PROGRAM_POLICY_H
#define ENFORCE_PROGRAM_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "profiles/profile.h"
#include "program/arguments.h"

/*
 * What a profile says of programs, compiled into one read-only block of memory without pointers:
 * made by a process that may read files, kept in a sealed memfd, mapped by the supervisor, the
 * guard and the sweeper, which share its pages and never parse a profile themselves. Content is
 * looked up by SHA-256 in constant time, whatever the profile's size; nothing here allocates.
 */
struct program_policy;

/* What content may be. One content can be several at once. */
enum content_use {
	CONTENT_PROGRAM = 1 << 0,
	CONTENT_LIBRARY = 1 << 1,
	CONTENT_SCRIPT = 1 << 2,
	CONTENT_PINNED = 1 << 3, /* a program that runs only with learnt scripts, arguments, applets
				  */
};

/* Entries of the profile with one checksum count as one: what any of them permits is permitted. */
struct content {
	uint32_t uses;	  /* enum content_use, 0: unknown */
	uint32_t program; /* index for the questions below; valid with CONTENT_PROGRAM */
	uint32_t script;  /* valid with CONTENT_SCRIPT */
};

/* More content that is permitted without being in the profile: rtguard's own program and libraries.
 */
struct own_content {
	const uint8_t (*sha256)[32];
	const uint32_t *uses;
	size_t count;
};

/* The block for a profile, to be freed by the caller. Errors: -ENOMEM; -EFBIG beyond 256 MiB. */
int program_policy_compile(const struct profile *profile, const struct own_content *own,
			   void **ret_block, size_t *ret_size, struct error *error);

/* Uses a block in place; it must stay mapped. Every offset in it is checked once, here: -EBADMSG.
 */
int program_policy_open(const void *block, size_t size, const struct program_policy **ret_policy);

struct content program_policy_find(const struct program_policy *policy, const uint8_t sha256[32]);

/* Whether an entry of any kind has that path (its content may be another). */
bool program_policy_has_path(const struct program_policy *policy, const char *path);

/* The first path of a program's entries. */
const char *program_policy_path(const struct program_policy *policy, uint32_t program);

/* Whether a pinned program may run so. arguments: argv with argv[0]; script: what is known of the
 * file that they name (script_argument()), or that the kernel's "#!" named, all zero for none.
 * The rule is in docs/enforcing.md, "Interpreters": the vector was learnt; or it runs a learnt
 * script of this interpreter with options before it as learnt; or, for a multi-call binary, the
 * applet was learnt and is no interpreter itself. */
bool program_policy_permits_arguments(const struct program_policy *policy, uint32_t program,
				      const struct arguments *arguments,
				      const struct content *script);

/* Whether a pinned program may open a file that is neither code nor known, by the paths it was
 * learnt to read. True for programs whose profile says nothing of it. */
bool program_policy_permits_read(const struct program_policy *policy, uint32_t program,
				 const char *path);

/* Whether a program may become that user by a set-user-ID bit: user as the profile has it (a name
 * or a number), path: where the file lies now. */
bool program_policy_permits_user(const struct program_policy *policy, uint32_t program,
				 const char *path, const char *user);

struct program_policy_counts {
	size_t programs;
	size_t pinned;
	size_t libraries;
	size_t scripts;
};
struct program_policy_counts program_policy_counts(const struct program_policy *policy);

#endif
