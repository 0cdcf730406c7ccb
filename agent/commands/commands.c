/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/commands.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "commands/rule_options.h"
#include "profiles/signature.h"

const struct command commands[] = {
	{
		"learn",
		command_learn,
		"[--cycle DURATION | --until-stable] [-o PROFILE] [OPTION…]\n"
		"       rtguard learn --update PROFILE [-o NEW] [--json] -- COMMAND…",
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
		"      --update PROFILE     run COMMAND, an installation, and add what it changed\n"
		"                           and what running that needs\n"
		"\n"
		"Examples:\n"
		"  rtguard learn --cycle 24h -o camera.json\n"
		"  rtguard learn --update camera.json -- apt-get install chrony\n"
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
		"PROFILE [--key NAME.pub|DIRECTORY]… [--strict] [--json]",
		"say whether a profile is valid, by whom it is signed, and whether it fits this "
		"machine",
		"  -k, --key PLACE          a public key that is trusted, or a directory of them; "
		"may be\n"
		"                           repeated (default " TRUSTED_KEYS ")\n"
		"      --strict             findings make the exit code 1\n"
		"      --json               the result for programs\n"
		"\n"
		"Example:\n"
		"  rtguard check camera.json\n",
	},
	{
		"enforce",
		command_enforce,
		"[PROFILE] [--audit] [--confirm DURATION] [--yes] [OPTION…]",
		"hold this machine to a profile",
		"  PROFILE                  default /etc/rtguard/profile.json\n"
		"      --audit              stop nothing, report what would be stopped\n"
		"      --confirm DURATION   go back to --audit unless 'rtguard confirm' comes in "
		"time\n"
		"  -y, --yes                begin without asking (for units)\n"
		"  -k, --key FILE|DIR       whose signatures count; may be repeated\n"
		"                           (default /etc/rtguard/keys)\n"
		"      --allow-unsigned     take a profile that nobody signed\n"
		"      --any-machine        take one that was learnt on another machine\n"
		"      --settings NAME,…    kernel settings to close gaps with, put back on stop;\n"
		"                           'all', or names that 'rtguard doctor' tells\n"
		"      --quarantine DIR     keep a copy of what was stopped\n"
		"      --file-limit MIB     larger files are not checked and do not run (default "
		"1024)\n"
		"      --without-fanotify   only the layers that stop a program after it began\n"
		"      --programs-only      leave connections alone\n"
		"      --rules-only         hold connections alone, look at no program\n"
		"      --backend NAME       nftables or iptables (default: nftables where it "
		"works)\n" RULE_OPTIONS_HELP
		"      --name-floor DURATION  addresses of a name count at least so long (60s)\n"
		"      --name-grace DURATION  and so much longer than their answer says (60s)\n"
		"      --queue N            first of two packet queues, and log group (21800)\n"
		"      --control PATH       the control socket (default /run/rtguard/control)\n"
		"      --state DIR          events and the like (default /var/lib/rtguard)\n"
		"\n"
		"Examples:\n"
		"  rtguard enforce camera.json --audit --allow-unsigned\n"
		"  rtguard enforce --confirm 5m\n"
		"  rtguard enforce camera.json --rules-only --inbound lan\n",
	},
	{
		"replay",
		command_replay,
		"[--device ADDRESS] [--rules] [--json] PROFILE CAPTURE…",
		"say what a profile would have blocked in recordings",
		"  -d, --device ADDRESS     whose traffic is held against the profile\n"
		"                           (default: the device that it was learnt from)\n"
		"      --rules              by the rules that the profile compiles into, at each\n"
		"                           flow's first packet\n"
		"      --json               {\"starts\", \"blocked\", \"blocked_starts\": […]}\n"
		"\n"
		"The exit code is 1 when anything would have been blocked.\n"
		"\n"
		"Example:\n"
		"  rtguard replay camera.json tuesday.pcap wednesday.pcap\n",
	},
	{
		"compile",
		command_compile,
		"PROFILE [--target TARGET] [-o DIR] [--verify CAPTURE]… [OPTION…]",
		"print the packet filter rules that a profile becomes",
		"  -t, --target TARGET      nftables (default), iptables, ip6tables, or ipset for "
		"the\n"
		"                           sets of those two\n"
		"  -o, --output DIR         write all of them into DIR instead: rules.nft, "
		"rules.v4,\n"
		"                           rules.v6, sets.ipset\n"
		"      --verify CAPTURE     only if every flow of a recording would pass; may be\n"
		"                           repeated\n"
		"  -d, --device ADDRESS     whose traffic the recordings hold\n"
		"                           (default: the device that the profile was learnt "
		"from)\n"
		"      --audit              rules that report and refuse "
		"nothing\n" RULE_OPTIONS_HELP
		"      --json               all of them in one object\n"
		"\n"
		"Changes nothing on this machine. The exit code is 1, and no rules are printed, "
		"when\n"
		"--verify finds a flow that would be blocked.\n"
		"\n"
		"Examples:\n"
		"  rtguard compile camera.json | nft -c -f -\n"
		"  rtguard compile camera.json --verify camera.pcap -o rules/\n",
	},
	{
		"keygen",
		command_keygen,
		"-o NAME",
		"make a pair of keys for signing profiles",
		"  -o, --output NAME        writes NAME.key (secret) and NAME.pub; replaces "
		"nothing\n"
		"\n"
		"Example:\n"
		"  rtguard keygen -o release\n",
	},
	{
		"sign",
		command_sign,
		"PROFILE --key NAME.key [--version N] [--back-from N] [-o OUT]",
		"sign a profile",
		"  -k, --key NAME.key       the secret key\n"
		"      --version N          what devices compare: never lower than before "
		"(default:\n"
		"                           one more than the signature has that is replaced, or "
		"1)\n"
		"      --back-from N        devices may go back to it from versions up to N\n"
		"  -o, --output OUT         where the signed profile goes (default: PROFILE)\n"
		"\n"
		"Example:\n"
		"  rtguard sign camera.json --key release.key\n",
	},
	{
		"verify",
		command_verify,
		"PROFILE [--key NAME.pub|DIRECTORY]… [--newer-than N] [--json]",
		"say whether a profile's signature holds and is trusted",
		"  -k, --key PLACE          a public key that is trusted, or a directory of them; "
		"may be\n"
		"                           repeated (default " TRUSTED_KEYS ")\n"
		"      --newer-than N       nor of a version up to N, unless signed to go back "
		"from N\n"
		"      --json               {\"verified\", \"reason\", \"key_id\", \"version\",\n"
		"                           \"back_from\"}\n"
		"\n"
		"The exit code is 1 when the signature does not hold or nobody trusted made it.\n"
		"\n"
		"Example:\n"
		"  rtguard verify camera.json --key release.pub\n",
	},
	{
		"doctor",
		command_doctor,
		"[--json] [--kernel-config FILE] [--release VERSION]",
		"say what this kernel offers for enforcing, and how to close the gaps",
		"      --kernel-config FILE  of a firmware that is still being built: judge its\n"
		"                           .config instead of trying; \"-\" is standard input\n"
		"      --release VERSION    with --kernel-config: the kernel's version, where the\n"
		"                           file does not say it\n"
		"      --json               the result for programs\n"
		"\n"
		"Changes nothing and marks no file that anybody else uses. The exit code is 1 "
		"when\n"
		"something stays open.\n"
		"\n"
		"Examples:\n"
		"  rtguard doctor\n"
		"  zcat /proc/config.gz | rtguard doctor --kernel-config -\n",
	},
	{
		"status",
		command_status,
		"[--json]",
		"say what is enforced, by which layers, and what was found",
		"      --json               the answer for programs (docs/control.md)\n"
		"      --control PATH       the supervisor's socket (default "
		"/run/rtguard/control)\n"
		"\n"
		"The exit code is 1 when there were findings since the start, 2 when nothing is\n"
		"enforced.\n"
		"\n"
		"Example:\n"
		"  rtguard status\n",
	},
	{
		"events",
		command_events,
		"[--follow] [--since DURATION] [--count N] [--json]",
		"print what was found and what became of rtguard itself",
		"  -f, --follow             stay, and print what comes\n"
		"      --since DURATION     only what is not older\n"
		"  -n, --count N            only the last N (with --follow: 20)\n"
		"      --json               the lines themselves (docs/events.md)\n"
		"      --directory DIR      read the event log there (default: where the "
		"supervisor\n"
		"                           writes it, or /var/lib/rtguard/events)\n"
		"      --control PATH       the supervisor's socket (default "
		"/run/rtguard/control)\n"
		"\n"
		"Reads the log's files, also when nothing is enforced. The exit code is 1 when "
		"there\n"
		"were findings among the events.\n"
		"\n"
		"Examples:\n"
		"  rtguard events --since 24h\n"
		"  rtguard events --follow --json\n",
	},
	{
		"explain",
		command_explain,
		"EVENT [--profile PROFILE] [--json]",
		"say which entry of the profile a finding missed, and what would permit it",
		"  -p, --profile PROFILE    hold it against this one (default: the one in force)\n"
		"      --json               the same for programs\n"
		"      --directory DIR      where the event log is\n"
		"      --control PATH       the supervisor's socket (default "
		"/run/rtguard/control)\n"
		"\n"
		"EVENT is the number that 'rtguard events' shows.\n"
		"\n"
		"Example:\n"
		"  rtguard explain 17 --profile camera.json\n",
	},
	{
		"confirm",
		command_confirm,
		"",
		"keep what 'rtguard enforce --confirm' would take back",
		"      --control PATH       the supervisor's socket (default "
		"/run/rtguard/control)\n"
		"\n"
		"Example:\n"
		"  rtguard confirm\n",
	},
	{
		"reload",
		command_reload,
		"[PROFILE]",
		"verify a profile and change over to it",
		"      --control PATH       the supervisor's socket (default "
		"/run/rtguard/control)\n"
		"\n"
		"Without PROFILE the file of the present one is read again. If it is refused the\n"
		"present one stays in force.\n"
		"\n"
		"Example:\n"
		"  rtguard reload camera-2.json\n",
	},
	{
		"mode",
		command_mode,
		"audit|enforce",
		"change between reporting and stopping what is outside the profile",
		"      --control PATH       the supervisor's socket (default "
		"/run/rtguard/control)\n"
		"\n"
		"Example:\n"
		"  rtguard mode audit\n",
	},
	{
		"stop",
		command_stop,
		"",
		"end enforcement in an orderly way",
		"      --control PATH       the supervisor's socket (default "
		"/run/rtguard/control)\n"
		"\n"
		"Example:\n"
		"  rtguard stop\n",
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
