/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUARD_GUARD_H
#define GUARD_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "enforce/program_policy.h"
#include "guard/desk.h"

/*
 * The worker that answers the kernel: may this process execute, or open, this file? It waits for
 * nothing but events and its own hashing; while others wait for it, it opens no path outside /proc,
 * asks no name service, and sends findings without blocking.
 */
enum guard_mode {
	GUARD_ENFORCE, /* fanotify permission events */
	GUARD_AUDIT,   /* notifications: nobody waits for us */
};

enum guard_trusted {
	GUARD_TRUSTED_SUPERVISOR,
	GUARD_TRUSTED_SWEEPER,
	GUARD_TRUSTED_QUARANTINE,
	GUARD_TRUSTED_GATE,
	GUARD_TRUSTED,
};

/* Names of users, as the profile has them: the guard itself can look none up. */
struct guard_user {
	uint32_t user;
	char name[64];
};

struct guard_config {
	enum guard_mode mode;
	int fanotify;	 /* the group; its marks are the supervisor's concern */
	int findings;	 /* channel: struct finding, one a message, non-blocking */
	bool pass_files; /* findings bring the file's descriptor (--quarantine) */
	struct desk *desk;
	const struct program_policy *policy;
	pid_t trusted[GUARD_TRUSTED];	/* our own processes, which may open what they must; 0: none
					 */
	const struct guard_user *users; /* others go by their number; "root" is always known */
	size_t user_count;
	uint64_t file_size_limit;    /* bytes; larger ones are never hashed */
	bool trusts_changing_mounts; /* for tests: caches on every filesystem */
};

/* Starts one that shares the caller's descriptor table; the caller must have one thread. Returns
 * the pid (the caller waits for it with waitpid) or negative errno. */
pid_t guard_start(const struct guard_config *config);

/* The worker itself: returns when told by SIGTERM, after the event in hand, with 0; what it has not
 * answered stays on the desk. */
int guard_run(const struct guard_config *config);

#endif
