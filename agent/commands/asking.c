/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/asking.h"

#include <getopt.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "control/client.h"
#include "control/protocol.h"

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

bool asking_options_read(int argc, char **argv, const char **ret_control, int *ret_code)
{
	const struct command_option options[] = {
		{"control", 0, option_take_text, ret_control, NULL},
	};

	return options_read(options, array_length(options), argc, argv, ret_code);
}

int ask_plainly(int argc, char **argv, const char *request, int timeout_ms, const char *done)
{
	const char *control = NULL;
	int code;

	if (!asking_options_read(argc, argv, &control, &code))
		return code;
	if (optind < argc)
		return command_misused(argv[0], "'%s' is not expected here", argv[optind]);
	return ask_for_change(argv[0], control, json_pack("{s:s}", CONTROL_REQUEST, request),
			      timeout_ms, done);
}
