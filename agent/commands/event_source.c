/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/event_source.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "control/client.h"
#include "control/protocol.h"
#include "report/event_line.h"
#include "report/event_log.h"

#define TIMEOUT_MS 5000

static void take_line(void *context, uint64_t id, const char *line)
{
	(void)id;
	(void)json_array_append_new(context, event_parse(line, strlen(line)));
}

static bool take_message(void *context, const json_t *message)
{
	if (!json_object_get(message, EVENT_KEY_EVENT))
		return false; /* the answer after the last one */
	(void)json_array_append(context, (json_t *)(uintptr_t)message);
	return true;
}

/* The directory that the supervisor writes to; *ret_status holds the text. */
static const char *directory_in_use(const char *control, json_t **ret_status)
{
	json_t *request = json_pack("{s:s}", CONTROL_REQUEST, REQUEST_STATUS);

	if (control_ask(control, request, TIMEOUT_MS, ret_status, NULL) < 0)
		return NULL;
	return json_string_value(
		json_object_get(json_object_get(*ret_status, STATUS_EVENTS), EVENTS_DIRECTORY));
}

static int ask(const char *control, json_t *list)
{
	json_t *request = json_pack("{s:s, s:i}", CONTROL_REQUEST, REQUEST_EVENTS, EVENTS_COUNT,
				    EVENT_RECENT_COUNT);

	return control_follow(control, request, take_message, list, NULL);
}

int event_source_read(const struct event_source *source, json_t *list, struct error *error)
{
	json_t *status = NULL;
	const char *directory = source->directory;
	int result;

	if (!directory)
		directory = directory_in_use(source->control, &status);
	if (!directory)
		directory = EVENT_DIRECTORY;
	result = event_files_read(directory, take_line, list, error);
	if (result == -ENOENT && !source->directory && ask(source->control, list) == 0)
		result = 0;
	if (result == -ENOENT)
		(void)error_set(error, ENOENT,
				"%s: no event log there; --directory DIR names another", directory);
	json_decref(status);
	return result;
}
