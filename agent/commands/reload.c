/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "commands/asking.h"
#include "commands/commands.h"
#include "control/protocol.h"

#define NAME	   "reload"
#define TIMEOUT_MS 120000 /* a large profile on a slow device */

int command_reload(int argc, char **argv)
{
	_cleanup_(freep) char *path = NULL;
	const char *control = NULL;
	json_t *request;
	int code;

	if (!asking_options_read(argc, argv, &control, &code))
		return code;
	if (argc - optind > 1)
		return command_misused(NAME, "expected one profile or none");
	/* the supervisor's directory is another */
	if (optind < argc) {
		path = realpath(argv[optind], NULL);
		if (!path)
			return command_trouble(NAME, "%s: %s", argv[optind], strerror(errno));
	}
	request = json_pack("{s:s, s:s*}", CONTROL_REQUEST, REQUEST_RELOAD, RELOAD_PROFILE, path);
	if (!request)
		return command_trouble(NAME, "%s: the name is no text; give it another",
				       path ? path : "");
	return ask_for_change(NAME, control, request, TIMEOUT_MS, "The profile is in force.");
}
