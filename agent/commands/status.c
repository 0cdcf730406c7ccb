/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "commands/status_report.h"
#include "control/client.h"
#include "control/protocol.h"
#include "report/event_line.h"

#define NAME	      "status"
#define TIMEOUT_MS    5000
#define FINDING_COUNT 5

static void freejsonp(json_t **json)
{
	json_decref(*json);
}

static bool take_finding(void *context, const json_t *message)
{
	if (!json_object_get(message, EVENT_KEY_EVENT))
		return false; /* the answer after the last one */
	(void)json_array_append(context, (json_t *)(uintptr_t)message);
	return true;
}

static int print_json(json_t *status, json_t *findings)
{
	_cleanup_(freep) char *text = NULL;

	if (json_object_set(status, "last_findings", findings) == 0)
		text = json_dumps(status, JSON_INDENT(2));
	if (!text)
		return command_trouble(NAME, "out of memory");
	(void)printf("%s\n", text);
	return EXIT_FINE;
}

static int print_text(const json_t *status, const json_t *findings)
{
	struct table_style style = table_style_of(stdout);

	if (status_report(status, findings, &style, stdout) < 0)
		return command_trouble(NAME, "out of memory");
	return EXIT_FINE;
}

static int run(const char *control, bool json)
{
	_cleanup_(freejsonp) json_t *findings = json_array();
	_cleanup_(freejsonp) json_t *status = NULL;
	struct error error = {0};
	json_int_t count;
	int code;

	if (control_ask(control, json_pack("{s:s}", CONTROL_REQUEST, REQUEST_STATUS), TIMEOUT_MS,
			&status, &error) < 0 ||
	    control_follow(control,
			   json_pack("{s:s, s:i, s:b}", CONTROL_REQUEST, REQUEST_EVENTS,
				     EVENTS_COUNT, FINDING_COUNT, EVENTS_FINDINGS, 1),
			   take_finding, findings, &error) < 0)
		return command_trouble(NAME, "%s", error.message);
	code = json ? print_json(status, findings) : print_text(status, findings);
	if (code != EXIT_FINE)
		return code;
	count = json_integer_value(
		json_object_get(json_object_get(status, STATUS_EVENTS), EVENTS_TOTAL_FINDINGS));
	return command_finish(NAME, count > 0 ? EXIT_FINDINGS : EXIT_FINE);
}

int command_status(int argc, char **argv)
{
	const char *control = NULL;
	bool json = false;
	const struct command_option options[] = {
		{"json", .value = &json},
		{"control", 0, option_take_text, &control, NULL},
	};
	int code;

	if (!options_read(options, array_length(options), argc, argv, &code))
		return code;
	if (optind < argc)
		return command_misused(NAME, "'%s' is not expected here", argv[optind]);
	return run(control, json);
}
