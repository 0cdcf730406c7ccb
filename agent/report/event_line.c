/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/event_line.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "report/event_flow.h"

/* An escaped byte is five bytes long. */
#define ESCAPED_LIMIT(size) (5 * (size_t)(size))
#define TEXT_LIMIT	    1024

static json_t *string_of(const char *bytes, size_t limit)
{
	_cleanup_(freep) char *escaped = text_escape(bytes, limit);

	return escaped ? json_string(escaped) : NULL;
}

/* null for what is not known */
static json_t *name_of(const char *bytes, size_t limit)
{
	return *bytes ? string_of(bytes, limit) : json_null();
}

static json_t *checksum_of(const struct finding *finding)
{
	char text[2 * sizeof(finding->sha256) + 1];

	if (!finding->hashed)
		return json_null();
	hex_encode(finding->sha256, sizeof(finding->sha256), text);
	return json_string(text);
}

static json_t *arguments_of(const struct finding *finding)
{
	json_t *list = finding->arguments_size ? json_array() : json_null();
	char ended[FINDING_ARGUMENTS_SIZE + 1]; /* the last one may have been cut */
	size_t at = 0;

	memcpy(ended, finding->arguments, finding->arguments_size);
	ended[finding->arguments_size] = '\0';
	while (list && at < finding->arguments_size) {
		const char *argument = ended + at;

		if (json_array_append_new(
			    list, string_of(argument, ESCAPED_LIMIT(FINDING_ARGUMENTS_SIZE)))) {
			json_decref(list);
			return NULL;
		}
		at += strlen(argument) + 1;
	}
	return list;
}

static json_t *ancestors_of(const struct finding *finding)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < FINDING_ANCESTORS && finding->ancestors[i][0]; i++)
		if (json_array_append_new(list, string_of(finding->ancestors[i],
							  ESCAPED_LIMIT(FINDING_PROGRAM_SIZE)))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *begin(uint64_t id, uint64_t time_ns, const char *event)
{
	char time[CLOCK_TEXT_SIZE];

	clock_format(time_ns, time);
	return json_pack("{s:I, s:s, s:s}", EVENT_KEY_ID, (json_int_t)id, EVENT_KEY_TIME, time,
			 EVENT_KEY_EVENT, event);
}

/* Takes both references. */
static json_t *complete(json_t *event, json_t *more)
{
	if (!event || !more || json_object_update(event, more) < 0) {
		json_decref(event);
		event = NULL;
	}
	json_decref(more);
	return event;
}

json_t *event_of_finding(uint64_t id, const struct finding *finding)
{
	json_t *more = json_pack(
		"{s:s, s:o, s:o, s:I, s:o, s:o, s:b, s:i, s:o, s:o, s:s, s:s, s:o, s:I}",
		EVENT_KEY_KIND, finding_kind_name(finding->kind), EVENT_KEY_PATH,
		name_of(finding->path, ESCAPED_LIMIT(FINDING_PATH_SIZE)), EVENT_KEY_SHA256,
		checksum_of(finding), EVENT_KEY_SIZE,
		(json_int_t)(finding->size < INT64_MAX ? finding->size : INT64_MAX),
		EVENT_KEY_PROGRAM, name_of(finding->program, ESCAPED_LIMIT(FINDING_PROGRAM_SIZE)),
		EVENT_KEY_ARGUMENTS, arguments_of(finding), EVENT_KEY_ARGUMENTS_CUT,
		finding->arguments_size == FINDING_ARGUMENTS_SIZE, EVENT_KEY_PID, (int)finding->pid,
		EVENT_KEY_USER,
		finding->user == UINT32_MAX ? json_null() : json_integer(finding->user),
		EVENT_KEY_ANCESTORS, ancestors_of(finding), EVENT_KEY_LAYER,
		finding_layer_name(finding->layer), EVENT_KEY_ACTION,
		finding_action_name(finding->action), EVENT_KEY_SINCE_EXEC_US,
		finding->since_exec_ns ? json_integer((json_int_t)(finding->since_exec_ns / 1000))
				       : json_null(),
		EVENT_KEY_REPEATS, (json_int_t)finding->repeats);

	return complete(complete(begin(id, finding->time_ns, "finding"), more),
			event_flow_json(&finding->flow));
}

json_t *event_of_repeats(uint64_t id, uint64_t time_ns, uint64_t of, uint64_t count,
			 const struct finding *finding)
{
	json_t *more = json_pack("{s:I, s:I, s:s, s:o, s:o, s:o}", EVENT_KEY_OF, (json_int_t)of,
				 EVENT_KEY_COUNT, (json_int_t)count, EVENT_KEY_KIND,
				 finding_kind_name(finding->kind), EVENT_KEY_PATH,
				 name_of(finding->path, ESCAPED_LIMIT(FINDING_PATH_SIZE)),
				 EVENT_KEY_SHA256, checksum_of(finding), EVENT_KEY_PROGRAM,
				 name_of(finding->program, ESCAPED_LIMIT(FINDING_PROGRAM_SIZE)));

	return complete(complete(begin(id, time_ns, "repeated"), more),
			event_flow_json(&finding->flow));
}

json_t *event_of_note(uint64_t id, uint64_t time_ns, const char *event, const char *text)
{
	json_t *more = json_pack("{s:o}", EVENT_KEY_TEXT, string_of(text, TEXT_LIMIT));

	return complete(begin(id, time_ns, event), more);
}

char *event_line(const json_t *event)
{
	return event ? json_dumps(event, JSON_COMPACT) : NULL;
}

uint64_t event_line_id(const char *line, size_t size)
{
	static const char beginning[] = "{\"" EVENT_KEY_ID "\":";
	const size_t length = sizeof(beginning) - 1;
	uint64_t id = 0;

	if (size < length || memcmp(line, beginning, length) != 0)
		return 0;
	for (size_t at = length; at < size && line[at] >= '0' && line[at] <= '9'; at++) {
		id = id * 10 + (uint64_t)(line[at] - '0');
		if (id >= EVENT_ID_LIMIT)
			return 0;
	}
	return id;
}

bool event_line_is_finding(const char *line)
{
	/* nothing that others have written stands before this key */
	const char *event = strstr(line, "\"" EVENT_KEY_EVENT "\":");

	if (!event)
		return false;
	event += sizeof("\"" EVENT_KEY_EVENT "\":") - 1;
	return strncmp(event, "\"finding\"", 9) == 0 || strncmp(event, "\"repeated\"", 10) == 0;
}

json_t *event_parse(const char *line, size_t size)
{
	json_t *event;
	json_int_t id;

	if (size > EVENT_LINE_LIMIT)
		return NULL;
	event = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
	id = json_integer_value(json_object_get(event, EVENT_KEY_ID));
	if (id > 0 && (uint64_t)id < EVENT_ID_LIMIT &&
	    json_is_string(json_object_get(event, EVENT_KEY_EVENT)))
		return event;
	json_decref(event);
	return NULL;
}
