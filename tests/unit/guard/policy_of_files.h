/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_GUARD_POLICY_OF_FILES_H
#define TESTS_GUARD_POLICY_OF_FILES_H

#include <stdint.h>

#include "enforce/program_policy.h"
#include "profiles/profile.h"

/* A policy that knows files of the test's by what is in them now. */

/* A copy of a program with some bytes behind it, so that its checksum is its own. 0 or negative
 * errno. */
int copy_with_trailer(const char *source, const char *target, const char *trailer);

int sha256_of_file(const char *path, uint8_t sha256[32]);

/* arguments: any, or pinned to the vectors that program_add_arguments() is given afterwards. */
struct profile_program *know_program(struct profile *profile, const char *path, bool any_arguments);
void know_script(struct profile *profile, const char *path, const char *interpreter);

/* Never freed: the test's end does. */
const struct program_policy *policy_of(const struct profile *profile);

#endif
