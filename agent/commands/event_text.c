/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/event_text.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "report/event_line.h"

/* What is more than this is cut: a line on a screen. */
#define LINE_SIZE 4096

const char *event_text(const json_t *event, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(event, key));

	return text ? text : otherwise;
}

bool event_is_finding(const json_t *event)
{
	const char *name = event_text(event, EVENT_KEY_EVENT, "");

	return strcmp(name, "finding") == 0 || strcmp(name, "repeated") == 0;
}

enum finding_kind event_finding_kind(const json_t *event)
{
	const char *name = event_text(event, EVENT_KEY_KIND, "");

	for (unsigned int kind = FINDING_NONE + 1; kind < FINDING_KIND_COUNT; kind++)
		if (strcmp(finding_kind_name(kind), name) == 0)
			return kind;
	return FINDING_NONE;
}

static void add_arguments(struct text *text, const json_t *event)
{
	const json_t *arguments = json_object_get(event, EVENT_KEY_ARGUMENTS);
	const json_t *argument;
	size_t i;

	if (json_array_size(arguments) == 0)
		return;
	text_append(text, ", arguments:");
	json_array_foreach(arguments, i, argument)
		text_printf(text, " %s", json_string_value(argument));
}

static void add_finding(struct text *text, const json_t *event)
{
	enum finding_kind kind = event_finding_kind(event);
	json_int_t pid = json_integer_value(json_object_get(event, EVENT_KEY_PID));
	const json_t *user = json_object_get(event, EVENT_KEY_USER);
	json_int_t repeats = json_integer_value(json_object_get(event, EVENT_KEY_REPEATS));

	text_printf(text, "%s %s", event_text(event, EVENT_KEY_PATH, "(no name)"),
		    kind == FINDING_NONE ? event_text(event, EVENT_KEY_KIND, "")
					 : finding_kind_text(kind));
	text_printf(text, " (process %lld of %s", (long long)pid,
		    event_text(event, EVENT_KEY_PROGRAM, "an unknown program"));
	if (json_is_integer(user))
		text_printf(text, ", user %lld", (long long)json_integer_value(user));
	add_arguments(text, event);
	if (repeats > 0)
		text_printf(text, ", %lld more like this", (long long)repeats);
	text_append(text, ")");
}

static void add_repeats(struct text *text, const json_t *event)
{
	text_printf(text, "#%lld came %lld more times: %s",
		    (long long)json_integer_value(json_object_get(event, EVENT_KEY_OF)),
		    (long long)json_integer_value(json_object_get(event, EVENT_KEY_COUNT)),
		    event_text(event, EVENT_KEY_PATH, "(no name)"));
}

void event_print(const json_t *event, FILE *out)
{
	const char *name = event_text(event, EVENT_KEY_EVENT, "");
	bool is_finding = strcmp(name, "finding") == 0;
	_cleanup_(freep) char *whole = NULL;
	struct text text = {0};
	char printable[LINE_SIZE];

	text_printf(&text, "%s  #%-6lld %-16s ", event_text(event, EVENT_KEY_TIME, "-"),
		    (long long)json_integer_value(json_object_get(event, EVENT_KEY_ID)),
		    is_finding ? event_text(event, EVENT_KEY_ACTION, name) : name);
	if (is_finding)
		add_finding(&text, event);
	else if (strcmp(name, "repeated") == 0)
		add_repeats(&text, event);
	else
		text_append(&text, event_text(event, EVENT_KEY_TEXT, ""));
	if (text_finish(&text, &whole) < 0)
		return;
	text_printable(whole, printable, sizeof(printable));
	(void)fprintf(out, "%s\n", printable);
}
