/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "backends/backend.h"
#include "commands/asking.h"
#include "commands/commands.h"
#include "control/client.h"
#include "control/dispatch.h"
#include "control/protocol.h"
#include "daemon/instance.h"

#define NAME	   "stop"
#define TIMEOUT_MS 60000

/* Nobody answers. The rules outlive a supervisor that was killed; whoever stops wants them gone. */
static int clear_rules(const char *lock, const char *why)
{
	enum instance_state state = instance_look(lock);
	struct error error = {0};

	if (state == INSTANCE_ALIVE || (state == INSTANCE_NONE && geteuid() != 0))
		return command_trouble(NAME, "%s", why);
	if (state == INSTANCE_RULES_ELSEWHERE)
		return command_trouble(NAME,
				       "%s; the rules that an earlier supervisor left are in "
				       "another network namespace: try again from there",
				       why);
	if (backend_clear_all(&error) < 0)
		return command_trouble(NAME, "%s; rules that may be left cannot be removed: %s",
				       why, error.message);
	if (state != INSTANCE_RULES)
		return command_trouble(NAME, "%s", why);
	instance_forget_rules(lock);
	(void)puts("No supervisor runs; the rules that an earlier one left are removed.");
	return command_finish(NAME, EXIT_FINE);
}

int command_stop(int argc, char **argv)
{
	const char *control = NULL;
	struct error error = {0};
	char lock[PATH_MAX];
	json_t *answer;
	int result;
	int code;

	if (!asking_options_read(argc, argv, &control, &code))
		return code;
	if (optind < argc)
		return command_misused(NAME, "'%s' is not expected here", argv[optind]);
	result = control_ask(control, json_pack("{s:s}", CONTROL_REQUEST, REQUEST_STOP), TIMEOUT_MS,
			     &answer, &error);
	if (result == 0) {
		json_decref(answer);
		(void)puts("Nothing is enforced any more.");
		return command_finish(NAME, EXIT_FINE);
	}
	if (result != -ENOENT && result != -ECONNREFUSED)
		return command_trouble(NAME, "%s", error.message);
	(void)snprintf(lock, sizeof(lock), "%s.lock", control ? control : CONTROL_SOCKET);
	return clear_rules(lock, error.message);
}
