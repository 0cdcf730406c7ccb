/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/commands.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

const struct command commands[] = {
	{
		"learn",
		command_learn,
		"[--cycle DURATION | --until-stable] [-o PROFILE] [OPTION…]",
		"watch this machine, or recordings, and write a profile",
		"  -c, --cycle DURATION     length of one full cycle of the device (default 24h)\n"
		"      --until-stable       end when nothing new is to be expected\n"
		"      --quiet DURATION     with --until-stable: nothing new for this long\n"
		"                           (default: as long again as it took, at least 10m)\n"
		"  -i, --interface IF       capture on IF only; may be repeated (default: all)\n"
		"  -o, --output PROFILE     where the profile goes (default rtguard-profile.json)\n"
		"      --boot-phase DURATION  what starts earlier than this after boot is of the\n"
		"                           boot phase (default 2m)\n"
		"      --journal FILE       where progress is kept (default PROFILE.journal)\n"
		"      --resume             go on from the journal\n"
		"      --include-session    also learn the login session that started this\n"
		"  -p, --pcap FILE          learn from a recording instead; may be repeated;\n"
		"                           \"-\" is standard input\n"
		"  -d, --device ADDRESS     whose behaviour the recording holds: a MAC address,\n"
		"                           or an IP address where frames have none\n"
		"      --json               progress and result as JSON lines\n"
		"\n"
		"Examples:\n"
		"  rtguard learn --cycle 24h -o camera.json\n"
		"  rtguard learn --pcap camera.pcap --device 94:10:3e:35:01:c1 -o camera.json\n",
	},
	{
		"show",
		command_show,
		"PROFILE [--all] [--program PATTERN] [--peer PATTERN] [--json]",
		"print a profile as tables",
		"  -a, --all                list libraries too\n"
		"      --program PATTERN    only what belongs to programs that fit\n"
		"      --peer PATTERN       only connections to peers that fit\n"
		"      --json               the (filtered) profile itself\n"
		"\n"
		"Example:\n"
		"  rtguard show camera.json --peer '*.example.net'\n",
	},
	{
		"check",
		command_check,
		"PROFILE [--strict] [--json]",
		"say whether a profile is valid and fits this machine",
		"      --strict             findings make the exit code 1\n"
		"      --json               the result for programs\n"
		"\n"
		"Example:\n"
		"  rtguard check camera.json\n",
	},
	{
		"replay",
		command_replay,
		"[--device ADDRESS] [--json] PROFILE CAPTURE…",
		"say what a profile would have blocked in recordings",
		"  -d, --device ADDRESS     whose traffic is held against the profile\n"
		"                           (default: the device that it was learnt from)\n"
		"      --json               {\"starts\", \"blocked\", \"blocked_starts\": […]}\n"
		"\n"
		"The exit code is 1 when anything would have been blocked.\n"
		"\n"
		"Example:\n"
		"  rtguard replay camera.json tuesday.pcap wednesday.pcap\n",
	},
};
const unsigned int command_count = array_length(commands);

static void print_trouble(const char *name, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

static void print_trouble(const char *name, const char *format, va_list arguments)
{
	(void)fprintf(stderr, "rtguard %s: ", name);
	(void)vfprintf(stderr, format, arguments);
	(void)fputc('\n', stderr);
}

int command_trouble(const char *name, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_trouble(name, format, arguments);
	va_end(arguments);
	return EXIT_TROUBLE;
}

int command_misused(const char *name, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_trouble(name, format, arguments);
	va_end(arguments);
	(void)fprintf(stderr, "Try 'rtguard %s --help'.\n", name);
	return EXIT_TROUBLE;
}

int command_finish(const char *name, int code)
{
	if (fflush(stdout) == EOF || ferror(stdout))
		return command_trouble(name, "cannot write the result: %s", strerror(errno));
	return code;
}

int command_help(const char *name)
{
	for (unsigned int i = 0; i < command_count; i++)
		if (strcmp(commands[i].name, name) == 0)
			(void)printf("Usage: rtguard %s %s\n\n%c%s.\n\n%s", name,
				     commands[i].synopsis, commands[i].summary[0] - 'a' + 'A',
				     commands[i].summary + 1, commands[i].help);
	return EXIT_FINE;
}
