/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "commands/commands.h"

#define OPTIONS_MAX  48
#define NUMBER_LIMIT ((UINT64_C(1) << 53) - 1)

/* What getopt_long() returns: an index beyond all letters. */
enum { FIRST_INDEX = 256, HELP = FIRST_INDEX + OPTIONS_MAX };

int option_take_text(const char *text, void *value)
{
	*(const char **)value = text;
	return 0;
}

int option_take_listed(const char *text, void *value)
{
	struct option_list *list = value;

	list->items[list->count++] = text;
	return 0;
}

int option_take_duration(const char *text, void *value)
{
	uint64_t duration_ns;

	if (duration_parse(text, &duration_ns) < 0 || duration_ns == 0)
		return -EINVAL;
	*(uint64_t *)value = duration_ns;
	return 0;
}

int option_take_number(const char *text, void *value)
{
	return number_parse(text, NUMBER_LIMIT, value);
}

/* The table in getopt's words: one entry each, and ":c:h" for the letters. */
static void translate(const struct command_option *options, size_t count, struct option *words,
		      char *letters)
{
	*letters++ = ':'; /* getopt stays silent, and tells what is missing from what is unknown */
	for (size_t i = 0; i < count; i++) {
		words[i] = (struct option){
			.name = options[i].name,
			.has_arg = options[i].take ? required_argument : no_argument,
			.val = FIRST_INDEX + (int)i,
		};
		if (options[i].letter) {
			*letters++ = options[i].letter;
			if (options[i].take)
				*letters++ = ':';
		}
	}
	words[count] = (struct option){"help", no_argument, NULL, HELP};
	words[count + 1] = (struct option){0};
	*letters++ = 'h';
	*letters = '\0';
}

static const struct command_option *find(const struct command_option *options, size_t count,
					 int found)
{
	if (found >= FIRST_INDEX)
		return &options[found - FIRST_INDEX];
	for (size_t i = 0; i < count; i++)
		if (options[i].letter == found)
			return &options[i];
	return NULL;
}

static int take(const char *command, const struct command_option *option)
{
	if (!option->take)
		*(bool *)option->value = true;
	else if (option->take(optarg, option->value) < 0)
		return command_misused(command, "--%s %s: expected %s", option->name, optarg,
				       option->expected);
	return EXIT_FINE;
}

bool options_read(const struct command_option *options, size_t count, int argc, char **argv,
		  int *ret_code)
{
	struct option words[OPTIONS_MAX + 2];
	char letters[2 * OPTIONS_MAX + 3];
	int code = EXIT_FINE;
	int found;

	assert(count <= OPTIONS_MAX);
	translate(options, count, words, letters);
	optind = 0;
	while (code == EXIT_FINE && (found = getopt_long(argc, argv, letters, words, NULL)) != -1) {
		if (found == 'h' || found == HELP) {
			*ret_code = command_help(argv[0]);
			return false;
		}
		if (found == ':')
			code = command_misused(argv[0], "%s: something has to follow it",
					       argv[optind - 1]);
		else if (found == '?')
			code = command_misused(argv[0], "%s: not an option of this command",
					       argv[optind - 1]);
		else
			code = take(argv[0], find(options, count, found));
	}
	*ret_code = code;
	return code == EXIT_FINE;
}
