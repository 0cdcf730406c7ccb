/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONTROL_SERVER_H
#define CONTROL_SERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "loop/loop.h"

/*
 * The supervisor's ear: a SOCK_SEQPACKET socket in the file system, one JSON object a message
 * (docs/control.md), at most 64 KiB. Peers are known by SO_PEERCRED: root alone may change things;
 * who may connect is the socket's mode. A peer that does not read is dropped, never waited for.
 */
#define CONTROL_SOCKET	      "/run/rtguard/control"
#define CONTROL_MESSAGE_LIMIT 65536

struct control_server;
struct control_peer; /* one connection, valid until its gone handler returns */

/* A request, by its name ("status", "reload" …). request: borrowed. Returns the answer (a new
 * reference; NULL: answered later with control_answer()). */
typedef json_t *(*control_handler_fn)(void *context, struct control_peer *peer,
				      const json_t *request);

struct control_command {
	const char *name;
	bool changes; /* for root only */
	control_handler_fn handle;
};

/* Replaces a dead socket file at path; -EADDRINUSE when somebody listens there. The table ends with
 * a NULL name. gone: a peer left (may be NULL). */
int control_server_new(struct loop *loop, const char *path, const struct control_command *commands,
		       void (*gone)(void *context, struct control_peer *peer), void *context,
		       struct control_server **ret_server, struct error *error);
void control_server_free(struct control_server *server); /* removes the socket file */

/* An answer that comes later, or one more message to a peer that follows. Takes the reference.
 * Returns false when the peer was dropped for not reading. */
bool control_answer(struct control_peer *peer, json_t *answer);

json_t *control_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
