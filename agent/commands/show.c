/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "commands/commands.h"
#include "commands/show_tables.h"
#include "profiles/filter.h"
#include "profiles/profile_json.h"

#define NAME "show"

enum { OPTION_PROGRAM = 256, OPTION_PEER, OPTION_JSON };

static const struct option options[] = {
	{"all", no_argument, NULL, 'a'},
	{"program", required_argument, NULL, OPTION_PROGRAM},
	{"peer", required_argument, NULL, OPTION_PEER},
	{"json", no_argument, NULL, OPTION_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void freeprofilep(struct profile **profile)
{
	profile_free(*profile);
}

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
	_cleanup_(freeprofilep) struct profile *profile = NULL;
	struct profile_filter filter = {0};
	struct error error = {0};
	bool all = false;
	bool json = false;
	int option;
	int result;

	optind = 0;
	while ((option = getopt_long(argc, argv, "ah", options, NULL)) != -1) {
		switch (option) {
		case 'a':
			all = true;
			break;
		case OPTION_PROGRAM:
			filter.program = optarg;
			break;
		case OPTION_PEER:
			filter.peer = optarg;
			break;
		case OPTION_JSON:
			json = true;
			break;
		case 'h':
			return command_help(NAME);
		default:
			return EXIT_TROUBLE;
		}
	}
	if (argc - optind != 1)
		return command_misused(NAME, "expected one profile");
	if (profile_load(argv[optind], &profile, &error) < 0)
		return command_trouble(NAME, "%s", error.message);
	profile_keep(profile, &filter);
	result = json ? print_json(profile) : print_tables(profile, all);
	if (result == EXIT_FINE && (fflush(stdout) == EOF || ferror(stdout)))
		return command_trouble(NAME, "cannot write: %s", strerror(errno));
	return result;
}
