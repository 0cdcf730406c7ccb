/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

#include <jansson.h>

#include "base/error.h"

/* One question to the supervisor. path: NULL for the usual place. Errors: -ENOENT/-ECONNREFUSED
 * (nobody enforces here), -EACCES, -ETIMEDOUT, -EPROTO; an answer with "error" is -EREMOTEIO and
 * its message. The answer is the caller's. */
int control_ask(const char *path, json_t *request, int timeout_ms, json_t **ret_answer,
		struct error *error);

/* Asks and then calls back for every further message until the other side ends or the callback
 * returns false. */
typedef bool (*control_message_fn)(void *context, const json_t *message);
int control_follow(const char *path, json_t *request, control_message_fn message, void *context,
		   struct error *error);

#endif
