/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "profiles/signature.h"

#define NAME "keygen"

int command_keygen(int argc, char **argv)
{
	const char *name = NULL;
	const struct command_option options[] = {
		{"output", 'o', option_take_text, &name, NULL},
	};
	char id[KEY_ID_SIZE];
	struct error error = {0};
	int code;

	if (!options_read(options, array_length(options), argc, argv, &code))
		return code;
	if (!name || !*name || optind < argc)
		return command_misused(NAME, "expected -o NAME and nothing else");
	if (signing_key_generate(name, id, &error) < 0)
		return command_trouble(NAME, "%s", error.message);
	(void)printf("key %s\n"
		     "  %s.key  secret: signs; keep it off the devices\n"
		     "  %s.pub  public: devices that have it in " TRUSTED_KEYS " trust the key\n",
		     id, name, name);
	return command_finish(NAME, EXIT_FINE);
}
