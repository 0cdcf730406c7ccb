/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "control/dispatch.h"
#include "control/place.h"
#include "control/protocol.h"

#define FIRST_TIMEOUT_MS 5000

static int connect_failed(const char *path, int code, struct error *error)
{
	switch (code) {
	case ENOENT:
	case ECONNREFUSED:
		return error_set(error, code, "%s: nothing is enforced here", path);
	case EACCES:
		return error_set(error, code, "%s: this is for root", path);
	case EAGAIN:
		return error_set(error, ETIMEDOUT, "%s: who enforces here takes no questions",
				 path);
	default:
		return error_set(error, code, "%s: %s", path, strerror(code));
	}
}

static int send_request(int fd, const char *path, const json_t *request, struct error *error)
{
	_cleanup_(freep) char *text = json_dumps(request, JSON_COMPACT);
	ssize_t sent;

	if (!text)
		return error_set(error, ENOMEM, "out of memory");
	if (strlen(text) > CONTROL_MESSAGE_LIMIT)
		return error_set(error, EMSGSIZE, "the question is too long");
	do {
		sent = send(fd, text, strlen(text), MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? connect_failed(path, errno == EPIPE ? EAGAIN : errno, error) : 0;
}

/* Takes the request's reference. Returns the descriptor or negative errno. */
static int begin(const char *path, json_t *request, struct error *error)
{
	_cleanup_(closep) int fd = -1;
	struct sockaddr_un address;
	int result = 0;

	if (!request)
		return error_set(error, ENOMEM, "out of memory");
	if (control_address(path, &address) < 0)
		result = error_set(error, ENAMETOOLONG, "%s: too long for a socket", path);
	if (result == 0) {
		/* a full queue of connections is an answer too */
		fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
			result = connect_failed(path, errno, error);
	}
	if (result == 0)
		result = send_request(fd, path, request, error);
	json_decref(request);
	return result < 0 ? result : take_fd(&fd);
}

static int timed_out(int fd, const char *path, struct error *error)
{
	struct ucred who = {0};
	socklen_t size = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
	    !control_place_is_held(path, who.pid))
		return error_set(error, ECONNREFUSED,
				 "%s: the supervisor (process %d) is gone; 'rtguard enforce' takes "
				 "over from it",
				 path, (int)who.pid);
	return error_set(error, ETIMEDOUT, "%s: no answer from process %d in time", path,
			 (int)who.pid);
}

/* Waits until a message can be taken; timeout_ms below 0: for ever. */
static int wait_for(int fd, const char *path, int timeout_ms, struct error *error)
{
	uint64_t until_ns = clock_monotonic_ns() + (uint64_t)timeout_ms * NS_PER_MS;
	struct pollfd poller = {.fd = fd, .events = POLLIN};
	int ready;

	for (;;) {
		uint64_t now_ns = clock_monotonic_ns();
		int left_ms = timeout_ms < 0	  ? -1
			      : now_ns < until_ns ? (int)((until_ns - now_ns) / NS_PER_MS) + 1
						  : 0;

		ready = poll(&poller, 1, left_ms);
		if (ready > 0)
			return 0;
		if (ready == 0)
			return timed_out(fd, path, error);
		if (errno != EINTR)
			return error_set(error, errno, "%s: %s", path, strerror(errno));
	}
}

static int parse(const char *path, const char *bytes, size_t size, json_t **ret_message,
		 struct error *error)
{
	json_t *message = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, NULL);
	const char *refusal = json_string_value(json_object_get(message, CONTROL_ERROR));
	int result = 0;

	if (!json_is_object(message)) {
		result = error_set(error, EPROTO, "%s: the answer is no JSON object", path);
	} else if (refusal) {
		char printable[sizeof(error->message)];

		text_printable(refusal, printable, sizeof(printable));
		result = error_set(error, EREMOTEIO, "%s", printable);
	}
	if (result < 0)
		json_decref(message);
	else
		*ret_message = message;
	return result;
}

static int receive(int fd, const char *path, int timeout_ms, json_t **ret_message,
		   struct error *error)
{
	_cleanup_(freep) char *bytes = malloc(CONTROL_MESSAGE_LIMIT);
	struct iovec place = {bytes, CONTROL_MESSAGE_LIMIT};
	struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1};
	ssize_t size;
	int result;

	if (!bytes)
		return error_set(error, ENOMEM, "out of memory");
	result = wait_for(fd, path, timeout_ms, error);
	if (result < 0)
		return result;
	size = recvmsg(fd, &message, MSG_DONTWAIT);
	if (size < 0 && errno != ECONNRESET)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (size <= 0)
		return error_set(error, ECONNRESET, "%s: the connection was closed", path);
	if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return error_set(error, EPROTO, "%s: the answer is too long", path);
	return parse(path, bytes, (size_t)size, ret_message, error);
}

int control_ask(const char *path, json_t *request, int timeout_ms, json_t **ret_answer,
		struct error *error)
{
	const char *place = path ? path : CONTROL_SOCKET;
	_cleanup_(closep) int fd = begin(place, request, error);

	return fd < 0 ? fd : receive(fd, place, timeout_ms, ret_answer, error);
}

int control_follow(const char *path, json_t *request, control_message_fn message, void *context,
		   struct error *error)
{
	const char *place = path ? path : CONTROL_SOCKET;
	_cleanup_(closep) int fd = begin(place, request, error);
	int timeout_ms = FIRST_TIMEOUT_MS;
	bool more = true;

	if (fd < 0)
		return fd;
	while (more) {
		json_t *received;
		int result = receive(fd, place, timeout_ms, &received, error);

		if (result < 0)
			return result;
		more = message(context, received);
		json_decref(received);
		timeout_ms = -1;
	}
	return 0;
}
