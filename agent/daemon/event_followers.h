/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_EVENT_FOLLOWERS_H
#define DAEMON_EVENT_FOLLOWERS_H

#include <stdbool.h>
#include <stddef.h>

#include "control/server.h"
#include "report/event_log.h"

/* The request "events" (docs/control.md), and who stayed to hear more. Zero-initialised is nobody.
 */
#define EVENT_FOLLOWERS_LIMIT 16 /* as many as there can be connections */

struct event_followers {
	struct {
		struct control_peer *peer;
		bool findings; /* wants lines of findings alone */
	} list[EVENT_FOLLOWERS_LIMIT];
	size_t count;
};

/* Sends the lines that the peer asks for, and lets it follow. What it returns is the answer after
 * them, or NULL when the peer is gone. */
json_t *event_followers_request(struct event_followers *followers, const struct event_log *log,
				struct control_peer *peer, const json_t *request);

/* One more line, to all who follow. */
void event_followers_tell(struct event_followers *followers, const char *line);

/* A peer left. */
void event_followers_forget(struct event_followers *followers, const struct control_peer *peer);

#endif
