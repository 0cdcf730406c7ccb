/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_OPTIONS_H
#define COMMANDS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The options of a subcommand as a table, each line with the place that it fills. -h and --help are
 * there without a line.
 */
struct command_option {
	const char *name; /* without "--" */
	char letter;	  /* 0: none */
	/* Fills *value from what follows the option; 0 or negative errno. NULL: nothing follows,
	 * and value is a bool that becomes true. */
	int (*take)(const char *text, void *value);
	void *value;
	const char *expected; /* what take() accepts, after "expected": "a MAC address" */
};

/* For an option that may be repeated. items has room for as many as there are words. */
struct option_list {
	const char **items;
	size_t count;
};

/* What take() may be. Texts are words of argv, not copied. */
int option_take_text(const char *text, void *value);	 /* const char * */
int option_take_listed(const char *text, void *value);	 /* struct option_list */
int option_take_duration(const char *text, void *value); /* uint64_t, ns, more than 0 */
int option_take_number(const char *text, void *value);	 /* uint64_t, up to 2^53 - 1 */

#define EXPECTED_NUMBER	  "a number"
#define EXPECTED_DURATION "a duration such as 90s, 10m, 24h or 7d"

/* Reads argv; what is no option stands from optind on afterwards. False: the command is over with
 * *ret_code, help or what is wrong having been printed. */
bool options_read(const struct command_option *options, size_t count, int argc, char **argv,
		  int *ret_code);

#endif
