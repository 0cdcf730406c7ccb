/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include <string.h>

#include "control/dispatch.h"
#include "control/protocol.h"

/* Every handler that reads something of its request. */
static json_t *handle(void *context, struct control_peer *peer, const json_t *request)
{
	(void)peer;
	fuzz_require(json_is_object(request));
	++*(int *)context;
	if (json_is_true(json_object_get(request, EVENTS_FOLLOW)))
		return control_ok();
	return control_error("%s",
			     json_string_value(json_object_get(request, RELOAD_PROFILE))
				     ? json_string_value(json_object_get(request, RELOAD_PROFILE))
				     : "");
}

static const struct control_command commands[] = {
	{REQUEST_STATUS, false, handle},
	{REQUEST_EVENTS, false, handle},
	{REQUEST_RELOAD, true, handle},
	{REQUEST_STOP, true, handle},
	{0},
};

/* Whatever is asked, there is one answer, which can be sent; who is not root changes nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	for (int is_root = 0; is_root < 2; is_root++) {
		int handled = 0;
		json_t *answer = control_dispatch(commands, &handled, NULL, is_root,
						  (const char *)bytes, size);
		char *text = json_dumps(answer, JSON_COMPACT);

		fuzz_require(answer && text && strlen(text) <= CONTROL_MESSAGE_LIMIT);
		fuzz_require(handled || json_is_string(json_object_get(answer, CONTROL_ERROR)));
		free(text);
		json_decref(answer);
	}
	return 0;
}
