/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>

#include "base/cleanup.h"
#include "commands/asking.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "control/protocol.h"

#define NAME	   "confirm"
#define TIMEOUT_MS 10000

int command_confirm(int argc, char **argv)
{
	const char *control = NULL;
	const struct command_option options[] = {
		{"control", 0, option_take_text, &control, NULL},
	};
	int code;

	if (!options_read(options, array_length(options), argc, argv, &code))
		return code;
	if (optind < argc)
		return command_misused(NAME, "'%s' is not expected here", argv[optind]);
	return ask_for_change(NAME, control, json_pack("{s:s}", CONTROL_REQUEST, REQUEST_CONFIRM),
			      TIMEOUT_MS, "Enforcement stays.");
}
