/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_CHECK_FINDINGS_H
#define COMMANDS_CHECK_FINDINGS_H

#include "profiles/profile.h"

/* One thing about a valid profile that a person should know before relying on it. place: a JSON
 * pointer; both are valid during the call. */
typedef void (*finding_fn)(void *context, const char *place, const char *message);

/* architecture: of the machine it is to fit, as uname(2) has it; NULL: don't compare. */
void check_findings(const struct profile *profile, const char *architecture, finding_fn found,
		    void *context);

#endif
