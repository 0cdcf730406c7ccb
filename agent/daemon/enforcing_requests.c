/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "control/protocol.h"
#include "daemon/enforcing_private.h"

static json_t *on_status(void *context, struct control_peer *peer, const json_t *request)
{
	(void)peer;
	(void)request;
	return enforcing_status_json(context);
}

/* ---- events ---- */

static json_t *on_events(void *context, struct control_peer *peer, const json_t *request)
{
	struct enforcing *enforcing = context;

	return event_followers_request(&enforcing->followers, enforcing->log, peer, request);
}

/* ---- changes ---- */

static json_t *on_confirm(void *context, struct control_peer *peer, const json_t *request)
{
	struct enforcing *enforcing = context;

	(void)peer;
	(void)request;
	if (!enforcing->confirm_until_ns)
		return control_error("nothing waits to be confirmed");
	enforcing_confirm(enforcing);
	return control_ok();
}

static json_t *on_reload(void *context, struct control_peer *peer, const json_t *request)
{
	const json_t *profile = json_object_get(request, RELOAD_PROFILE);
	struct error error = {0};

	if (profile && (!json_is_string(profile) || json_string_value(profile)[0] != '/'))
		return control_error("profile: expected a path that begins with '/'");
	if (enforcing_reload(context, json_string_value(profile), peer, &error) < 0)
		return control_error("%s", error.message);
	return NULL;
}

static json_t *on_mode(void *context, struct control_peer *peer, const json_t *request)
{
	const char *mode = json_string_value(json_object_get(request, STATUS_MODE));
	struct error error = {0};
	int result;

	if (mode && strcmp(mode, MODE_ENFORCE) == 0)
		result = enforcing_change_mode(context, GUARD_ENFORCE, "asked for", peer, &error);
	else if (mode && strcmp(mode, MODE_AUDIT) == 0)
		result = enforcing_change_mode(context, GUARD_AUDIT, "asked for", peer, &error);
	else
		return control_error("mode: expected \"%s\" or \"%s\"", MODE_ENFORCE, MODE_AUDIT);
	if (result > 0)
		return NULL;
	return result < 0 ? control_error("%s", error.message) : control_ok();
}

static json_t *on_stop(void *context, struct control_peer *peer, const json_t *request)
{
	struct enforcing *enforcing = context;

	(void)request;
	enforcing->stop_peer = peer;
	loop_stop(enforcing->loop, 0);
	return NULL;
}

void enforcing_peer_gone(void *context, struct control_peer *peer)
{
	struct enforcing *enforcing = context;

	if (enforcing->reload_peer == peer)
		enforcing->reload_peer = NULL;
	if (enforcing->mode_peer == peer)
		enforcing->mode_peer = NULL;
	if (enforcing->stop_peer == peer)
		enforcing->stop_peer = NULL;
	event_followers_forget(&enforcing->followers, peer);
}

const struct control_command enforcing_commands[] = {
	{REQUEST_STATUS, false, on_status},
	{REQUEST_EVENTS, false, on_events},
	{REQUEST_CONFIRM, true, on_confirm},
	{REQUEST_RELOAD, true, on_reload},
	{REQUEST_MODE, true, on_mode},
	{REQUEST_STOP, true, on_stop},
	{NULL, false, NULL},
};
