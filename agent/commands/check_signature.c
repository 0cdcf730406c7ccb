/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "commands/check_findings.h"

const char *signature_standing_name(enum signature_standing standing)
{
	static const char *const names[] = {
		[SIGNATURE_MISSING] = "missing",
		[SIGNATURE_BROKEN] = "broken",
		[SIGNATURE_UNKNOWN] = "unknown",
		[SIGNATURE_TRUSTED] = "trusted",
	};

	return names[standing];
}

int check_signature(struct profile *profile, const struct verifying_keys *keys, finding_fn found,
		    void *context, struct signature_result *ret_result)
{
	struct signature_result result = {.standing = SIGNATURE_TRUSTED};
	struct error error = {0};
	int code;

	result.readable = signature_read(profile, &result.info, NULL) == 0;
	code = profile_verify(profile, keys, &result.info, &error);
	if (code == -ENOKEY)
		result.standing = result.readable ? SIGNATURE_UNKNOWN : SIGNATURE_MISSING;
	else if (code == -EBADMSG || code == -EKEYREJECTED)
		result.standing = SIGNATURE_BROKEN;
	else if (code < 0)
		return code;
	if (code < 0)
		found(context, "/signature", error.message);
	*ret_result = result;
	return 0;
}
