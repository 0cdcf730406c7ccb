/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_MACHINE_FIT_H
#define DAEMON_MACHINE_FIT_H

#include <stdint.h>

#include "base/error.h"
#include "profiles/profile.h"

/* Whether a profile is this machine's: its architecture, and its programs held against the files at
 * their paths. At most 64 programs, spread over the list, are read. */
struct machine_fit {
	char architecture[65]; /* of this machine */
	uint32_t asked;
	uint32_t present; /* there is a file */
	uint32_t same;	  /* with that content */
};

int machine_fit_measure(const struct profile *profile, struct machine_fit *ret_fit,
			struct error *error);

/* -EXDEV with the reason when it clearly belongs to another machine: the architecture differs, or
 * of at least four programs that can be compared fewer than half are the same. */
int machine_fit_check(const struct machine_fit *fit, const struct profile *profile,
		      struct error *error);

#endif
