/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "commands/replay_report.h"
#include "daemon/replaying.h"
#include "profiles/profile_json.h"

#define NAME "replay"

static int take_device(const char *text, void *value)
{
	return recorded_device_parse(text, value);
}

static int run(struct replaying_config *config, bool json)
{
	struct table_style style = table_style_of(stdout);
	struct replay_report *report = replay_report_new(json);
	struct replaying_result result;
	struct error error = {0};
	int code;

	if (!report)
		return command_trouble(NAME, "out of memory");
	config->blocked = replay_report_blocked;
	config->context = report;
	code = replaying_run(config, &result, &error);
	if (code == 0 && !result.heard)
		(void)fprintf(stderr,
			      "rtguard " NAME ": the device sent nothing in these recordings; "
			      "is its address right?\n");
	if (code == 0 && replay_report_print(report, &result, &style, stdout) < 0)
		code = error_set(&error, ENOMEM, "out of memory");
	replay_report_free(report);
	if (code < 0)
		return command_trouble(NAME, "%s", error.message);
	return command_finish(NAME, result.blocked ? EXIT_FINDINGS : EXIT_FINE);
}

int command_replay(int argc, char **argv)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	struct replaying_config config = {0};
	struct error error = {0};
	struct rules_options rules = RULES_OPTIONS_DEFAULT;
	bool by_rules = false;
	bool json = false;
	const struct command_option options[] = {
		{"device", 'd', take_device, &config.recordings.device, EXPECTED_DEVICE},
		{"rules", .value = &by_rules},
		{"json", .value = &json},
	};
	int code;

	if (!options_read(options, array_length(options), argc, argv, &code))
		return code;
	if (argc - optind < 2)
		return command_misused(NAME, "expected a profile and at least one capture");
	if (profile_load(argv[optind], &profile, &error) < 0)
		return command_trouble(NAME, "%s", error.message);
	config.profile = profile;
	config.rules = by_rules ? &rules : NULL;
	config.recordings.files = (const char *const *)argv + optind + 1;
	config.recordings.file_count = (size_t)(argc - optind - 1);
	return run(&config, json);
}
