/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <string.h>

#include "base/cleanup.h"
#include "commands/asking.h"
#include "commands/commands.h"
#include "control/protocol.h"

#define NAME	   "mode"
#define TIMEOUT_MS 60000

static const struct {
	const char *mode;
	const char *done;
} modes[] = {
	{MODE_AUDIT, "What is outside the profile is reported, and not stopped."},
	{MODE_ENFORCE, "What is outside the profile is stopped."},
};

int command_mode(int argc, char **argv)
{
	const char *control = NULL;
	int code;

	if (!asking_options_read(argc, argv, &control, &code))
		return code;
	if (argc - optind != 1)
		return command_misused(NAME, "expected audit or enforce");
	for (size_t i = 0; i < array_length(modes); i++)
		if (strcmp(argv[optind], modes[i].mode) == 0)
			return ask_for_change(NAME, control,
					      json_pack("{s:s, s:s}", CONTROL_REQUEST, REQUEST_MODE,
							STATUS_MODE, modes[i].mode),
					      TIMEOUT_MS, modes[i].done);
	return command_misused(NAME, "'%s': expected audit or enforce", argv[optind]);
}
