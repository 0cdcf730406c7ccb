/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_LEARNING_WRITE_H
#define DAEMON_LEARNING_WRITE_H

#include "daemon/learning.h"

/* The end that live and recorded learning share: makes the profile, has the device part filled in
 * (0 or -ENOMEM), saves it as config->output and says in *ret_result how it turned out. */
int learning_write(struct learner *learner, const struct learner_cycle *cycle,
		   const struct learning_config *config,
		   int (*describe)(const struct learning_config *config, struct profile *profile),
		   struct learning_result *ret_result, struct error *error);

#endif
