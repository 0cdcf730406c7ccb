/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONTROL_SERVER_H
#define CONTROL_SERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "control/dispatch.h"
#include "loop/loop.h"

/*
 * The supervisor's ear: a SOCK_SEQPACKET socket in the file system, mode 0600, one JSON object a
 * message (docs/control.md). A peer that does not read is dropped, never waited for. Opens nothing
 * but /proc once it is there.
 */
struct control_server;

/* Makes the directory where it is missing and replaces a dead socket file at path; -EADDRINUSE when
 * somebody serves there, and who. A socket whose server is gone is dead even while other processes
 * hold its descriptors. gone: a peer left or was dropped (may be NULL). The table is borrowed. */
int control_server_new(struct loop *loop, const char *path, const struct control_command *commands,
		       void (*gone)(void *context, struct control_peer *peer), void *context,
		       struct control_server **ret_server, struct error *error);

/* Removes the socket file, if it is still its own. What waits to be sent is lost. */
void control_server_free(struct control_server *server);

/* An answer that comes later, or one more message. Takes the reference; NULL (memory is out) drops
 * the peer. Returns false when the peer was dropped: it is gone then. */
bool control_answer(struct control_peer *peer, json_t *answer);

/* The same with the text of an object. */
bool control_answer_text(struct control_peer *peer, const char *text);

#endif
