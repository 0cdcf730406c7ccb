/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "commands/commands.h"
#include "commands/learn_display.h"
#include "commands/learn_update.h"
#include "commands/options.h"

#define NAME		      "learn"
#define DEFAULT_OUTPUT	      "rtguard-profile.json"
#define DEFAULT_CYCLE_NS      (86400 * NS_PER_S)
#define DEFAULT_BOOT_PHASE_NS (120 * NS_PER_S)

/* What the command line said, before it is known whether it fits together. */
struct request {
	struct learning_config config;
	struct option_list interfaces;
	struct option_list recordings;
	const char *update; /* a profile; NULL: learn one */
	bool json;
};

static int take_device(const char *text, void *value)
{
	return recorded_device_parse(text, value);
}

static bool read_request(struct request *request, int argc, char **argv, int *ret_code)
{
	struct learning_config *config = &request->config;
	const struct command_option options[] = {
		{"cycle", 'c', option_take_duration, &config->cycle_ns, EXPECTED_DURATION},
		{"until-stable", .value = &config->until_stable},
		{"quiet", 0, option_take_duration, &config->quiet_ns, EXPECTED_DURATION},
		{"interface", 'i', option_take_listed, &request->interfaces, NULL},
		{"output", 'o', option_take_text, &config->output, NULL},
		{"boot-phase", 0, option_take_duration, &config->boot_phase_ns, EXPECTED_DURATION},
		{"journal", 0, option_take_text, &config->journal, NULL},
		{"resume", .value = &config->resume},
		{"include-session", .value = &config->include_session},
		{"pcap", 'p', option_take_listed, &request->recordings, NULL},
		{"update", 0, option_take_text, &request->update, NULL},
		{"device", 'd', take_device, &config->device, EXPECTED_DEVICE},
		{"json", .value = &request->json},
	};

	return options_read(options, array_length(options), argc, argv, ret_code);
}

static int check_update(const struct request *request, int argc)
{
	const struct learning_config *config = &request->config;

	if (request->recordings.count || request->interfaces.count || config->cycle_ns ||
	    config->until_stable || config->quiet_ns || config->resume || config->journal ||
	    config->include_session || config->device.is_named)
		return command_misused(NAME, "--update goes with --output and --json alone");
	if (optind == argc)
		return command_misused(NAME, "--update: expected '-- COMMAND…', the installation");
	return EXIT_FINE;
}

static int check_combination(const struct request *request, int argc, char **argv)
{
	const struct learning_config *config = &request->config;
	bool recorded = request->recordings.count > 0;

	if (request->update)
		return check_update(request, argc);
	if (optind < argc)
		return command_misused(NAME, "'%s' is not expected here", argv[optind]);
	if (recorded && (config->cycle_ns || config->until_stable || request->interfaces.count ||
			 config->resume || config->journal || config->include_session))
		return command_misused(NAME, "--pcap reads recordings to their end; --cycle, "
					     "--until-stable, --interface, --journal, --resume and "
					     "--include-session are for live learning");
	if (config->quiet_ns && !config->until_stable)
		return command_misused(NAME, "--quiet goes with --until-stable");
	if (!recorded && config->device.is_named)
		return command_misused(NAME, "--device goes with --pcap: live, this machine itself "
					     "is learnt");
	return EXIT_FINE;
}

/* With --until-stable there is no end by time unless one was asked for. */
static void complete_defaults(struct request *request, char journal[PATH_MAX])
{
	struct learning_config *config = &request->config;

	if (!config->output)
		config->output = DEFAULT_OUTPUT;
	if (!config->cycle_ns && !config->until_stable)
		config->cycle_ns = DEFAULT_CYCLE_NS;
	config->interfaces = request->interfaces.items;
	config->interface_count = request->interfaces.count;
	config->recordings = request->recordings.items;
	config->recording_count = request->recordings.count;
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
	if (code < 0)
		return command_trouble(NAME, "%s", error.message);
	return command_finish(NAME, EXIT_FINE);
}

int command_learn(int argc, char **argv)
{
	_cleanup_(freep) const char **interfaces = calloc((size_t)argc, sizeof(char *));
	_cleanup_(freep) const char **recordings = calloc((size_t)argc, sizeof(char *));
	char journal[PATH_MAX];
	struct request request = {
		.config = {.boot_phase_ns = DEFAULT_BOOT_PHASE_NS},
		.interfaces = {interfaces, 0},
		.recordings = {recordings, 0},
	};
	int code;

	if (!interfaces || !recordings)
		return command_trouble(NAME, "out of memory");
	if (!read_request(&request, argc, argv, &code))
		return code;
	code = check_combination(&request, argc, argv);
	if (code != EXIT_FINE)
		return code;
	if (request.update)
		return learn_update(request.update,
				    request.config.output ? request.config.output : request.update,
				    argv + optind, request.json);
	complete_defaults(&request, journal);
	return run(&request);
}
