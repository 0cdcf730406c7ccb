/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/learning_write.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "profiles/profile_json.h"

int learning_write(struct learner *learner, const struct learner_cycle *cycle,
		   const struct learning_config *config,
		   int (*describe)(const struct learning_config *config, struct profile *profile),
		   struct learning_result *ret_result, struct error *error)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	struct learning_result result = {0};
	const char *reason;
	int code;

	/* What cannot be written now stays for --resume, and in memory. */
	(void)learner_flush(learner, NULL);
	code = learner_profile(learner, cycle, &profile, error);
	if (code < 0)
		return code;
	learner_summarise(learner, &result.summary);
	learner_release(learner);
	code = describe(config, profile);
	if (code < 0)
		return error_set(error, -code, "out of memory");
	code = profile_save(profile, config->output, error);
	if (code < 0)
		return code;
	reason = learner_incomplete_reason(learner);
	if (reason)
		(void)snprintf(result.incomplete_reason, sizeof(result.incomplete_reason), "%s",
			       reason);
	*ret_result = result;
	return 0;
}
