/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_UPDATE_COMMAND_H
#define DAEMON_UPDATE_COMMAND_H

#include <stdbool.h>

#include "base/error.h"

/* Runs a command of this terminal and waits for it, as system(3) does: an interrupt is the
 * command's, not ours. *ret_status: its exit code, or 128 and the signal. Errors: exec(3)'s, when
 * it could not be started. */
int update_command_run(char *const *command, bool output_to_stderr, int *ret_status,
		       struct error *error);

#endif
