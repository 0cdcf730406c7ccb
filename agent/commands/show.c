/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "commands/show_tables.h"
#include "profiles/filter.h"
#include "profiles/profile_json.h"

#define NAME "show"

static int print_json(struct profile *profile)
{
	_cleanup_(freep) char *text = NULL;
	struct error error = {0};

	if (profile_format(profile, &text, &error) < 0)
		return command_trouble(NAME, "%s", error.message);
	(void)fputs(text, stdout);
	return EXIT_FINE;
}

static int print_tables(const struct profile *profile, bool all)
{
	struct table_style style = table_style_of(stdout);

	if (show_tables(profile, all, &style, stdout) < 0)
		return command_trouble(NAME, "out of memory");
	return EXIT_FINE;
}

int command_show(int argc, char **argv)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	struct profile_filter filter = {0};
	struct error error = {0};
	bool all = false;
	bool json = false;
	const struct command_option options[] = {
		{"all", 'a', .value = &all},
		{"program", 0, option_take_text, &filter.program, NULL},
		{"peer", 0, option_take_text, &filter.peer, NULL},
		{"json", .value = &json},
	};
	int code;

	if (!options_read(options, array_length(options), argc, argv, &code))
		return code;
	if (argc - optind != 1)
		return command_misused(NAME, "expected one profile");
	if (profile_load(argv[optind], &profile, &error) < 0)
		return command_trouble(NAME, "%s", error.message);
	profile_keep(profile, &filter);
	code = json ? print_json(profile) : print_tables(profile, all);
	return command_finish(NAME, code);
}
