/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONTROL_DISPATCH_H
#define CONTROL_DISPATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define CONTROL_SOCKET	      "/run/rtguard/control"
#define CONTROL_MESSAGE_LIMIT 65536

struct control_peer; /* one connection, valid until its gone handler returns */

/* A request, by its name ("status", "reload" …). request: borrowed. Returns the answer (a new
 * reference; NULL: answered already, or later with control_answer()). */
typedef json_t *(*control_handler_fn)(void *context, struct control_peer *peer,
				      const json_t *request);

/* The table ends with a NULL name. */
struct control_command {
	const char *name;
	bool changes; /* for root only */
	control_handler_fn handle;
};

/* From the bytes of a message to its answer: the handler's, or what is wrong with the request.
 * is_root: who asks may change things. */
json_t *control_dispatch(const struct control_command *commands, void *context,
			 struct control_peer *peer, bool is_root, const char *bytes, size_t size);

/* {"ok": true} and {"error": …}; NULL when memory is out. */
json_t *control_ok(void);
json_t *control_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
