/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/dispatch.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "control/protocol.h"

#define ERROR_SIZE 1024

json_t *control_ok(void)
{
	return json_pack("{s:b}", CONTROL_OK, 1);
}

json_t *control_error(const char *format, ...)
{
	_cleanup_(freep) char *escaped = NULL;
	char message[ERROR_SIZE];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	escaped = text_escape(message, sizeof(message));
	return escaped ? json_pack("{s:s}", CONTROL_ERROR, escaped) : NULL;
}

static json_t *answer_to(const struct control_command *commands, void *context,
			 struct control_peer *peer, bool is_root, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, CONTROL_REQUEST));

	if (!name)
		return control_error("a request is an object with \"" CONTROL_REQUEST
				     "\" and a name");
	for (; commands->name; commands++) {
		if (strcmp(commands->name, name) != 0)
			continue;
		if (commands->changes && !is_root)
			return control_error("%s is for root only", commands->name);
		return commands->handle(context, peer, request);
	}
	return control_error("no request '%.64s' is known here", name);
}

json_t *control_dispatch(const struct control_command *commands, void *context,
			 struct control_peer *peer, bool is_root, const char *bytes, size_t size)
{
	json_error_t fault;
	json_t *request = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &fault);
	json_t *answer;

	if (!request)
		return control_error("the request is no JSON object: column %d: %s", fault.column,
				     fault.text);
	answer = answer_to(commands, context, peer, is_root, request);
	json_decref(request);
	return answer;
}
