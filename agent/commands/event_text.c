/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/event_text.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "report/event_flow.h"
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
	return finding_kind_parse(event_text(event, EVENT_KEY_KIND, ""));
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

/* "/tmp/tool", or "udp to 192.0.2.7 port 53 (evil.example)". Whether it is about a packet. */
static bool add_subject(struct text *text, const json_t *event)
{
	struct finding_flow flow;
	char words[FLOW_TEXT_SIZE];

	if (!event_flow_read(event, &flow)) {
		text_append(text, event_text(event, EVENT_KEY_PATH, "(no name)"));
		return false;
	}
	event_flow_text(event_finding_kind(event), &flow, words);
	text_append(text, words);
	return true;
}

/* Who did it and how often, in parentheses; of a packet only what is known. */
static void add_process(struct text *text, const json_t *event, bool of_packet)
{
	json_int_t pid = json_integer_value(json_object_get(event, EVENT_KEY_PID));
	const json_t *user = json_object_get(event, EVENT_KEY_USER);
	json_int_t repeats = json_integer_value(json_object_get(event, EVENT_KEY_REPEATS));
	const char *before = " (";

	if (!of_packet || pid > 0) {
		text_printf(text, " (process %lld", (long long)pid);
		if (!of_packet)
			text_printf(text, " of %s",
				    event_text(event, EVENT_KEY_PROGRAM, "an unknown program"));
		if (json_is_integer(user))
			text_printf(text, ", user %lld", (long long)json_integer_value(user));
		add_arguments(text, event);
		before = ", ";
	}
	if (repeats > 0)
		text_printf(text, "%s%lld more like this", before, (long long)repeats);
	if (!of_packet || pid > 0 || repeats > 0)
		text_append(text, ")");
}

static void add_finding(struct text *text, const json_t *event)
{
	enum finding_kind kind = event_finding_kind(event);
	const char *program = event_text(event, EVENT_KEY_PROGRAM, NULL);
	bool of_packet = add_subject(text, event);

	if (of_packet && program)
		text_printf(text, " by %s", program);
	text_printf(text, " %s",
		    kind == FINDING_NONE ? event_text(event, EVENT_KEY_KIND, "")
					 : finding_kind_text(kind));
	add_process(text, event, of_packet);
}

static void add_repeats(struct text *text, const json_t *event)
{
	text_printf(text, "#%lld came %lld more times: ",
		    (long long)json_integer_value(json_object_get(event, EVENT_KEY_OF)),
		    (long long)json_integer_value(json_object_get(event, EVENT_KEY_COUNT)));
	(void)add_subject(text, event);
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
