/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_CHECK_FINDINGS_H
#define COMMANDS_CHECK_FINDINGS_H

#include "profiles/profile.h"
#include "profiles/signature.h"

/* One thing about a valid profile that a person should know before relying on it. place: a JSON
 * pointer; both are valid during the call. */
typedef void (*finding_fn)(void *context, const char *place, const char *message);

/* architecture: of the machine it is to fit, as uname(2) has it; NULL: don't compare. */
void check_findings(const struct profile *profile, const char *architecture, finding_fn found,
		    void *context);

/* How far the signature of a profile goes. */
enum signature_standing {
	SIGNATURE_MISSING,
	SIGNATURE_BROKEN,  /* it is none, or does not hold */
	SIGNATURE_UNKNOWN, /* by nobody who is trusted here: it may hold or not */
	SIGNATURE_TRUSTED,
};

struct signature_result {
	enum signature_standing standing;
	bool readable; /* info has what it says of itself */
	struct signature_info info;
};

/* "missing", "broken", "unknown", "trusted" */
const char *signature_standing_name(enum signature_standing standing);

/* keys: those that are trusted. Anything but a trusted signature is a finding. Errors: only those
 * that are none of the signature's. */
int check_signature(struct profile *profile, const struct verifying_keys *keys, finding_fn found,
		    void *context, struct signature_result *ret_result);

#endif
