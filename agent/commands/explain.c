/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/explain.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "commands/commands.h"
#include "commands/event_source.h"
#include "commands/event_text.h"
#include "commands/options.h"
#include "control/client.h"
#include "control/protocol.h"
#include "profiles/profile_json.h"
#include "report/event_line.h"

#define NAME	   "explain"
#define TIMEOUT_MS 5000

static void freejsonp(json_t **json)
{
	json_decref(*json);
}

/* What applies to every delta. */
static const char *const cautions_always[] = {
	"Permit it only if you know what it is and why it ran: what came by itself is what the "
	"profile is there to keep out.",
	"The delta permits exactly this; merge it into the profile, review, sign, and "
	"'rtguard reload'.",
};

static json_t *find_event(const struct event_source *source, uint64_t id, struct error *error)
{
	_cleanup_(freejsonp) json_t *list = json_array();
	json_t *event;
	size_t i;
	int result = event_source_read(source, list, error);

	if (result < 0)
		return NULL;
	json_array_foreach(list, i, event)
	{
		if ((uint64_t)json_integer_value(json_object_get(event, EVENT_KEY_ID)) == id)
			return json_incref(event);
	}
	(void)error_set(error, ENOENT, "no event %llu; 'rtguard events' lists those that are kept",
			(unsigned long long)id);
	return NULL;
}

/* Repeats are explained by what they repeat. */
static json_t *find_finding(const struct event_source *source, uint64_t id, struct error *error)
{
	json_t *event = find_event(source, id, error);
	json_int_t of = json_integer_value(json_object_get(event, EVENT_KEY_OF));

	if (event && of > 0) {
		json_decref(event);
		event = find_event(source, (uint64_t)of, error);
	}
	if (event && event_finding_kind(event) == FINDING_NONE) {
		json_decref(event);
		(void)error_set(error, EINVAL, "event %llu is no finding", (unsigned long long)id);
		return NULL;
	}
	return event;
}

static int load_profile(const char *path, const char *control, struct profile **ret_profile,
			struct error *error)
{
	_cleanup_(freejsonp) json_t *status = NULL;
	json_t *request;

	if (path)
		return profile_load(path, ret_profile, error);
	request = json_pack("{s:s}", CONTROL_REQUEST, REQUEST_STATUS);
	if (control_ask(control, request, TIMEOUT_MS, &status, error) < 0)
		return error_set(error, error->code,
				 "which profile? --profile FILE says (there is nobody to ask)");
	path = json_string_value(
		json_object_get(json_object_get(status, STATUS_PROFILE), PROFILE_PATH));
	if (!path)
		return error_set(error, ENOENT, "which profile? --profile FILE says");
	return profile_load(path, ret_profile, error);
}

static void print_line(const char *before, const char *text)
{
	char printable[4096];

	text_printable(text, printable, sizeof(printable));
	(void)printf("%s%s\n", before, printable);
}

static void print_text(const json_t *explanation)
{
	const json_t *nearest = json_object_get(explanation, "nearest");
	const json_t *cautions = json_object_get(explanation, "cautions");
	const json_t *delta = json_object_get(explanation, "delta");
	const json_t *item;
	size_t i;

	event_print(json_object_get(explanation, "event"), stdout);
	(void)printf("\nNearest in the profile:\n");
	json_array_foreach(nearest, i, item)
	{
		(void)printf("  %s: ", json_string_value(json_object_get(item, "relation")));
		print_line("", json_string_value(json_object_get(item, "entry")));
	}
	if (json_array_size(nearest) == 0)
		(void)printf("  nothing like it\n");
	if (json_is_object(delta)) {
		_cleanup_(freep) char *text = json_dumps(delta, JSON_INDENT(2));

		(void)printf("\nWhat would permit it:\n%s\n", text ? text : "");
	} else {
		(void)printf("\n%s\n", json_string_value(json_object_get(explanation, "why_not")));
	}
	if (json_array_size(cautions) > 0)
		(void)printf("\n");
	json_array_foreach(cautions, i, item)
	{
		print_line("! ", json_string_value(item));
	}
}

static json_t *explain(const json_t *event, const struct profile *profile)
{
	json_t *cautions = json_array();
	const char *why_not = NULL;
	json_t *delta = explain_delta(event, profile, cautions, &why_not);

	for (size_t i = 0; delta && i < array_length(cautions_always); i++)
		(void)json_array_append_new(cautions, json_string(cautions_always[i]));
	return json_pack("{s:O, s:s, s:o, s:o, s:s?, s:o}", "event", event, "reason",
			 finding_kind_text(event_finding_kind(event)), "nearest",
			 explain_nearest(event, profile), "delta", delta ? delta : json_null(),
			 "why_not", why_not, "cautions", cautions);
}

static int run(const struct event_source *source, uint64_t id, const char *profile_path, bool json)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_(freejsonp) json_t *event = NULL;
	_cleanup_(freejsonp) json_t *explanation = NULL;
	struct error error = {0};

	event = find_finding(source, id, &error);
	if (!event || load_profile(profile_path, source->control, &profile, &error) < 0)
		return command_trouble(NAME, "%s", error.message);
	explanation = explain(event, profile);
	if (!explanation)
		return command_trouble(NAME, "out of memory");
	if (json) {
		_cleanup_(freep) char *text = json_dumps(explanation, JSON_INDENT(2));

		(void)printf("%s\n", text ? text : "");
	} else {
		print_text(explanation);
	}
	return command_finish(NAME, EXIT_FINE);
}

int command_explain(int argc, char **argv)
{
	struct event_source source = {0};
	const char *profile = NULL;
	const char *number;
	bool json = false;
	uint64_t id;
	const struct command_option options[] = {
		{"profile", 'p', option_take_text, &profile, NULL},
		{"json", .value = &json},
		{"directory", 0, option_take_text, &source.directory, NULL},
		{"control", 0, option_take_text, &source.control, NULL},
	};
	int code;

	if (!options_read(options, array_length(options), argc, argv, &code))
		return code;
	if (argc - optind != 1)
		return command_misused(NAME, "expected the number of one event");
	number = argv[optind] + (argv[optind][0] == '#');
	if (number_parse(number, EVENT_ID_LIMIT, &id) < 0 || id == 0)
		return command_misused(NAME, "'%s': expected the number of an event", argv[optind]);
	return run(&source, id, profile, json);
}
