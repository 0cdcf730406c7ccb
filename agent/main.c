/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "commands/commands.h"

static void print_usage(FILE *stream)
{
	(void)fprintf(stream, "Usage: rtguard COMMAND [OPTION…]\n\n"
			      "Learns what a device does, and holds it to that.\n\nCommands:\n");
	for (unsigned int i = 0; i < command_count; i++)
		(void)fprintf(stream, "  %-12s %s\n", commands[i].name, commands[i].summary);
	(void)fprintf(stream, "\n'rtguard COMMAND --help' says more about each.\n"
			      "Exit code: 0 fine, 1 there are findings, 2 trouble.\n");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_TROUBLE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		if (argc > 2)
			return command_help(argv[2]);
		print_usage(stdout);
		return EXIT_FINE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		(void)printf("rtguard %s\n", RTGUARD_VERSION);
		return EXIT_FINE;
	}
	/* A reader that went away or a file size limit must not end a day of learning: the write
	 * says so itself. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	for (unsigned int i = 0; i < command_count; i++)
		if (strcmp(commands[i].name, argv[1]) == 0)
			return commands[i].run(argc - 1, argv + 1);
	(void)fprintf(stderr, "rtguard: no command '%s'; 'rtguard --help' lists them\n", argv[1]);
	return EXIT_TROUBLE;
}
