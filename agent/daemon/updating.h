/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_UPDATING_H
#define DAEMON_UPDATING_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/*
 * Runs an installation and adds to a profile what it changed and what running that needs;
 * docs/updating.md has the rules. Needs the privileges that the installation needs.
 */
struct updating_config {
	const char *profile;
	const char *output;   /* may be the same */
	char *const *command; /* NULL-terminated, looked up in PATH */
	bool quiet_output;    /* the command's standard output goes to standard error */
	const char *control;  /* of a supervisor; NULL: the usual place */
};

struct updating_result {
	bool ran;		 /* the command was started; what follows holds */
	int command_status;	 /* as a shell tells it: its exit code, or 128 and the signal */
	json_t *delta;		 /* daemon/update_delta.h */
	json_t *notes;		 /* sentences: what to look at, what could not be told */
	bool written;		 /* something changed, and output has it */
	uint64_t signed_version; /* of the signature that was taken out; 0: there was none */
};

/* On success, and after a failure once the command ran, the result is to be cleared. -EBUSY: the
 * machine enforces a profile, nothing was run. */
int updating_run(const struct updating_config *config, struct updating_result *ret_result,
		 struct error *error);
void updating_result_clear(struct updating_result *result);

#endif
