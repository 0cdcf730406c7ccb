/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_BACKEND_H
#define BACKENDS_BACKEND_H

#include "rules/program.h"

/*
 * What turns a rule program into kernel state, in the network namespace it is called in. A backend
 * touches what is its own and nothing else: chains RTGUARD-* with one jump each and sets
 * rtguard-*, or the table inet rtguard. One caller at a time.
 */
struct backend;

struct backend_counts {
	uint64_t refused_out; /* packets */
	uint64_t refused_in;
	uint64_t refused_forward;
};

struct backend_type {
	const char *name; /* "nftables", "iptables" */

	/* Whether it can work here: 0, or -EOPNOTSUPP and what is missing: the match and the kernel
	 * option. Leaves nothing behind. */
	int (*probe)(struct error *error);

	/* Takes up what a predecessor left: the members that dynamic sets have are not needed, the
	 * caller knows them. */
	int (*open)(struct backend **ret_backend, struct error *error);
	void (*close)(struct backend *backend); /* the rules stay */

	/* Puts the program in the place of what is in force, whole or not at all, with no moment in
	 * which more is permitted than before and after. Errors name what the kernel refused and
	 * the option it lacks: -EOPNOTSUPP; -EBUSY: the lock is held by others (waited for 10 s);
	 * -ENOSPC: a set is full. */
	int (*apply)(struct backend *backend, const struct rule_program *program,
		     struct error *error);

	/* Puts members into a set of the program in force, or renews their time; returns when the
	 * kernel has acknowledged all of them, or an error with none or some of them in.
	 * -ENOSPC: the set is full. */
	int (*add)(struct backend *backend, uint16_t set, const struct rule_member *members,
		   size_t count, struct error *error);

	/* Takes them out; those that are not there are no error. */
	int (*remove)(struct backend *backend, uint16_t set, const struct rule_member *members,
		      size_t count, struct error *error);

	int (*counts)(struct backend *backend, struct backend_counts *ret_counts,
		      struct error *error);

	/* Whether all of it is still as it was applied and in its place: 0, or -ESTALE and what
	 * somebody else changed. */
	int (*check)(struct backend *backend, struct error *error);

	/* Takes everything of ours away, from whichever process it came; nothing there is no error.
	 */
	int (*clear)(struct error *error);

	/* What the gate does to a held packet that may go on: accept it (0), or send it through the
	 * chain again with this mark in the bits of RENDER_MARK_MASK. */
	uint32_t (*release_mark)(const struct backend *backend);
};

extern const struct backend_type backend_nftables;
extern const struct backend_type backend_iptables;

/* NULL name: the first that can work here. Errors: -EINVAL for a name that is none; -EOPNOTSUPP and
 * why none can. */
int backend_choose(const char *name, const struct backend_type **ret_type, struct error *error);

/* Takes away what any backend left here. */
int backend_clear_all(struct error *error);

#endif
