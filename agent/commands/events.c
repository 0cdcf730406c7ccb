/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "commands/commands.h"
#include "commands/event_source.h"
#include "commands/event_text.h"
#include "commands/options.h"
#include "control/client.h"
#include "control/protocol.h"
#include "report/event_line.h"
#include "report/event_log.h"

#define NAME		"events"
#define FOLLOWED_BEFORE 20 /* lines that come first with --follow */

struct request {
	struct event_source source;
	uint64_t since_ns; /* duration; 0: all */
	uint64_t count;	   /* 0: all */
	bool follow;
	bool json;

	uint64_t after_ns; /* since 1970 */
	uint64_t last_id;
	bool found; /* a finding */
};

static int take_count(const char *text, void *value)
{
	uint64_t count;

	if (number_parse(text, 1000000, &count) < 0 || count == 0)
		return -EINVAL;
	*(uint64_t *)value = count;
	return 0;
}

static bool is_wanted(const struct request *request, const json_t *event)
{
	uint64_t time_ns;

	return !request->after_ns ||
	       clock_parse(event_text(event, EVENT_KEY_TIME, ""), &time_ns) < 0 ||
	       time_ns >= request->after_ns;
}

static void print(struct request *request, const json_t *event)
{
	request->last_id = (uint64_t)json_integer_value(json_object_get(event, EVENT_KEY_ID));
	request->found |= event_is_finding(event);
	if (request->json) {
		_cleanup_(freep) char *line = event_line(event);

		(void)printf("%s\n", line ? line : "");
	} else {
		event_print(event, stdout);
	}
}

static void print_list(struct request *request, const json_t *list)
{
	size_t count = json_array_size(list);
	size_t first = request->count && count > request->count ? count - request->count : 0;

	for (size_t i = first; i < count; i++)
		if (is_wanted(request, json_array_get(list, i)))
			print(request, json_array_get(list, i));
}

static bool take_followed(void *context, const json_t *message)
{
	struct request *request = context;
	json_int_t id = json_integer_value(json_object_get(message, EVENT_KEY_ID));

	if (id > 0 && (uint64_t)id > request->last_id && is_wanted(request, message)) {
		print(request, message);
		if (fflush(stdout) == EOF)
			return false;
	}
	return true;
}

static int follow(struct request *request)
{
	struct error error = {0};
	json_t *question = json_pack("{s:s, s:i, s:b}", CONTROL_REQUEST, REQUEST_EVENTS,
				     EVENTS_COUNT, EVENT_RECENT_COUNT, EVENTS_FOLLOW, 1);

	(void)fflush(stdout);
	if (control_follow(request->source.control, question, take_followed, request, &error) < 0)
		return command_trouble(NAME, "%s", error.message);
	return command_finish(NAME, request->found ? EXIT_FINDINGS : EXIT_FINE);
}

static int run(struct request *request)
{
	struct error error = {0};
	json_t *list = json_array();
	int result = event_source_read(&request->source, list, &error);

	if (result == 0)
		print_list(request, list);
	json_decref(list);
	if (result < 0 && !(request->follow && result == -ENOENT))
		return command_trouble(NAME, "%s", error.message);
	if (request->follow)
		return follow(request);
	return command_finish(NAME, request->found ? EXIT_FINDINGS : EXIT_FINE);
}

int command_events(int argc, char **argv)
{
	struct request request = {0};
	const struct command_option options[] = {
		{"follow", 'f', .value = &request.follow},
		{"json", .value = &request.json},
		{"since", 0, option_take_duration, &request.since_ns, EXPECTED_DURATION},
		{"count", 'n', take_count, &request.count, "a number from 1 to 1000000"},
		{"directory", 0, option_take_text, &request.source.directory, NULL},
		{"control", 0, option_take_text, &request.source.control, NULL},
	};
	uint64_t now_ns = clock_realtime_ns();
	int code;

	if (!options_read(options, array_length(options), argc, argv, &code))
		return code;
	if (optind < argc)
		return command_misused(NAME, "'%s' is not expected here", argv[optind]);
	if (request.since_ns)
		request.after_ns = now_ns > request.since_ns ? now_ns - request.since_ns : 0;
	else if (request.follow && !request.count)
		request.count = FOLLOWED_BEFORE;
	return run(&request);
}
