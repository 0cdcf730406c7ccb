/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/asking.h"

#include <stdio.h>

#include "commands/commands.h"
#include "control/client.h"

int ask_for_change(const char *name, const char *control, json_t *request, int timeout_ms,
		   const char *done)
{
	struct error error = {0};
	json_t *answer;

	if (control_ask(control, request, timeout_ms, &answer, &error) < 0)
		return command_trouble(name, "%s", error.message);
	json_decref(answer);
	(void)puts(done);
	return command_finish(name, EXIT_FINE);
}
