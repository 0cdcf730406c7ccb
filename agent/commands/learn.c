/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "commands/commands.h"
#include "commands/learn_display.h"
#include "daemon/recordings.h"

#define NAME		      "learn"
#define DEFAULT_OUTPUT	      "rtguard-profile.json"
#define DEFAULT_CYCLE_NS      (86400 * NS_PER_S)
#define DEFAULT_BOOT_PHASE_NS (120 * NS_PER_S)

enum {
	OPTION_UNTIL_STABLE = 256,
	OPTION_QUIET,
	OPTION_BOOT_PHASE,
	OPTION_JOURNAL,
	OPTION_RESUME,
	OPTION_INCLUDE_SESSION,
	OPTION_JSON,
};

static const struct option options[] = {
	{"cycle", required_argument, NULL, 'c'},
	{"until-stable", no_argument, NULL, OPTION_UNTIL_STABLE},
	{"quiet", required_argument, NULL, OPTION_QUIET},
	{"interface", required_argument, NULL, 'i'},
	{"output", required_argument, NULL, 'o'},
	{"boot-phase", required_argument, NULL, OPTION_BOOT_PHASE},
	{"journal", required_argument, NULL, OPTION_JOURNAL},
	{"resume", no_argument, NULL, OPTION_RESUME},
	{"include-session", no_argument, NULL, OPTION_INCLUDE_SESSION},
	{"pcap", required_argument, NULL, 'p'},
	{"device", required_argument, NULL, 'd'},
	{"json", no_argument, NULL, OPTION_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

/* What the command line said, before it is known whether it fits together. */
struct request {
	struct learning_config config;
	struct recordings recorded; /* whose device is used; files are in config */
	const char **interfaces;    /* as many as there are arguments, at most */
	const char **files;
	bool has_cycle;
	bool json;
	bool help;
};

static int read_duration(const char *option, const char *text, uint64_t *ret_ns)
{
	if (duration_parse(text, ret_ns) < 0 || *ret_ns == 0)
		return command_misused(NAME,
				       "%s %s: expected a duration such as 90s, 10m, 24h or 7d",
				       option, text);
	return EXIT_FINE;
}

static int take_option(struct request *request, int option)
{
	struct learning_config *config = &request->config;

	switch (option) {
	case 'c':
		request->has_cycle = true;
		return read_duration("--cycle", optarg, &config->cycle_ns);
	case OPTION_BOOT_PHASE:
		return read_duration("--boot-phase", optarg, &config->boot_phase_ns);
	case OPTION_UNTIL_STABLE:
		config->until_stable = true;
		return EXIT_FINE;
	case OPTION_QUIET:
		return read_duration("--quiet", optarg, &config->quiet_ns);
	case 'i':
		request->interfaces[config->interface_count++] = optarg;
		return EXIT_FINE;
	case 'o':
		config->output = optarg;
		return EXIT_FINE;
	case OPTION_JOURNAL:
		config->journal = optarg;
		return EXIT_FINE;
	case OPTION_RESUME:
		config->resume = true;
		return EXIT_FINE;
	case OPTION_INCLUDE_SESSION:
		config->include_session = true;
		return EXIT_FINE;
	case 'p':
		request->files[config->recording_count++] = optarg;
		return EXIT_FINE;
	case 'd':
		if (recordings_set_device(&request->recorded, optarg) < 0)
			return command_misused(NAME,
					       "--device %s: expected a MAC address such as "
					       "94:10:3e:35:01:c1, or an IP address",
					       optarg);
		return EXIT_FINE;
	case OPTION_JSON:
		request->json = true;
		return EXIT_FINE;
	case 'h':
		request->help = true;
		return EXIT_FINE;
	default:
		(void)fprintf(stderr, "Try 'rtguard " NAME " --help'.\n");
		return EXIT_TROUBLE;
	}
}

static int check_combination(struct request *request, int argc, char **argv)
{
	const struct learning_config *config = &request->config;
	bool recorded = config->recording_count > 0;

	if (optind < argc)
		return command_misused(NAME, "'%s' is not expected here", argv[optind]);
	if (recorded && (request->has_cycle || config->until_stable || config->interface_count ||
			 config->resume || config->journal || config->include_session))
		return command_misused(NAME, "--pcap reads recordings to their end; --cycle, "
					     "--until-stable, --interface, --journal, --resume and "
					     "--include-session are for live learning");
	if (config->quiet_ns && !config->until_stable)
		return command_misused(NAME, "--quiet goes with --until-stable");
	if (!recorded && request->recorded.has_device)
		return command_misused(NAME, "--device goes with --pcap: live, this machine itself "
					     "is learnt");
	return EXIT_FINE;
}

/* With --until-stable there is no end by time unless one was asked for. */
static void complete_defaults(struct request *request, char journal[PATH_MAX])
{
	struct learning_config *config = &request->config;

	if (!request->has_cycle && !config->until_stable)
		config->cycle_ns = DEFAULT_CYCLE_NS;
	config->interfaces = request->interfaces;
	config->recordings = request->files;
	config->has_device = request->recorded.has_device;
	config->device_mac = request->recorded.mac;
	config->device_address = request->recorded.address;
	if (!config->journal && !config->recording_count) {
		(void)snprintf(journal, PATH_MAX, "%s.journal", config->output);
		config->journal = journal;
	}
}

static int run(struct request *request)
{
	enum learn_display_kind kind = request->json	       ? DISPLAY_JSON
				       : isatty(STDERR_FILENO) ? DISPLAY_TERMINAL
							       : DISPLAY_LINES;
	struct learn_display *display = learn_display_new(kind);
	struct learning_result result;
	struct error error = {0};
	int code;

	if (!display)
		return command_trouble(NAME, "out of memory");
	request->config.progress = learn_display_progress;
	request->config.context = display;
	code = request->config.recording_count
		       ? learning_run_recorded(&request->config, &result, &error)
		       : learning_run_live(&request->config, &result, &error);
	if (code == 0)
		learn_display_result(display, request->config.output, &result);
	learn_display_free(display);
	return code < 0 ? command_trouble(NAME, "%s", error.message) : EXIT_FINE;
}

int command_learn(int argc, char **argv)
{
	_cleanup_(freep) const char **interfaces = calloc((size_t)argc, sizeof(char *));
	_cleanup_(freep) const char **files = calloc((size_t)argc, sizeof(char *));
	char journal[PATH_MAX];
	struct request request = {
		.config = {.output = DEFAULT_OUTPUT, .boot_phase_ns = DEFAULT_BOOT_PHASE_NS},
		.interfaces = interfaces,
		.files = files,
	};
	int option;
	int code;

	if (!interfaces || !files)
		return command_trouble(NAME, "out of memory");
	optind = 0;
	while ((option = getopt_long(argc, argv, "c:i:o:p:d:h", options, NULL)) != -1) {
		code = take_option(&request, option);
		if (code != EXIT_FINE)
			return code;
	}
	if (request.help)
		return command_help(NAME);
	code = check_combination(&request, argc, argv);
	if (code != EXIT_FINE)
		return code;
	complete_defaults(&request, journal);
	return run(&request);
}
