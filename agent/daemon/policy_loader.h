/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_POLICY_LOADER_H
#define DAEMON_POLICY_LOADER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "daemon/policy_network.h"
#include "enforce/program_policy.h"
#include "guard/guard.h"
#include "loop/loop.h"
#include "profiles/signature.h"

/*
 * From a profile on disk to a policy in memory, in a process of its own: reading, parsing,
 * verifying, holding it against this machine, compiling. The supervisor gets the finished block and
 * a summary, keeps no profile, and never waits for a file.
 */
struct policy_source {
	const char *profile;
	bool allow_unsigned;
	bool any_machine;	 /* take it though it does not fit this machine */
	const char *const *keys; /* files or directories */
	size_t key_count;
	const char *version_file; /* the highest version that was enforced here; NULL: not kept */
};

struct policy_summary {
	char profile[PATH_MAX];
	char device[128]; /* its name, for people */
	bool is_signed;
	struct signature_info signature;
	struct program_policy_counts counts;
	struct policy_network network;
	uint32_t machine_present; /* programs of the profile that lie at their paths here */
	uint32_t machine_same;	  /* with the same checksum */
};

struct loaded_policy {
	struct policy_summary summary;
	const struct program_policy *policy;
	void *block; /* mapped, read-only */
	size_t size;
	struct guard_user *users; /* whom the profile names, as this machine numbers them */
	size_t user_count;
	int network; /* what the gate applies: sealed (policy_network.h) */
	uint64_t ns; /* it took */
};

/* Waits for it; for the start. Errors as they come from the profile, its signature (-EKEYREJECTED,
 * -ENOKEY, -ESTALE) or -EXDEV: it belongs to another machine. */
int policy_load(const struct policy_source *source, struct loaded_policy **ret_policy,
		struct error *error);
void policy_free(struct loaded_policy *policy);

/* The same without waiting: done is called from the loop, once, with the policy or NULL and error.
 * One at a time: -EBUSY. */
struct policy_loading;
typedef void (*policy_done_fn)(void *context, struct loaded_policy *policy,
			       const struct error *error);
int policy_load_begin(struct loop *loop, const struct policy_source *source, policy_done_fn done,
		      void *context, struct policy_loading **ret_loading);
void policy_load_cancel(struct policy_loading *loading);

/* Notes the version as enforced, so that older profiles are refused from now on; in a child too. */
void policy_note_version(const struct policy_source *source, const struct policy_summary *summary);

#endif
