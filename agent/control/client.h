/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

/*
 * Questions to the supervisor. path: NULL for the usual place. Each takes the request's reference
 * (NULL is -ENOMEM). Errors: -ENOENT/-ECONNREFUSED (nobody enforces here), -EACCES, -ETIMEDOUT,
 * -EPROTO; an answer with "error" is -EREMOTEIO and its message.
 */

/* One question. The answer is the caller's. */
int control_ask(const char *path, json_t *request, int timeout_ms, json_t **ret_answer,
		struct error *error);

/* Asks and then calls back for every message until the other side ends (-ECONNRESET), or the
 * callback returns false (0). Only the first message has to come soon. */
typedef bool (*control_message_fn)(void *context, const json_t *message);
int control_follow(const char *path, json_t *request, control_message_fn message, void *context,
		   struct error *error);

#endif
