/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "control/place.h"

#define PEER_LIMIT  16
#define QUEUE_LIMIT (256 << 10) /* bytes that wait for one peer */

struct waiting_message {
	struct waiting_message *next;
	size_t size;
	char bytes[];
};

struct control_peer {
	struct control_peer *next; /* in server->peers */
	struct control_server *server;
	struct loop_source *source;
	int fd;
	bool is_root;
	bool is_busy;	 /* in a handler: freed when that returns */
	bool is_dropped; /* out of the list, descriptor closed */
	struct waiting_message *first;
	struct waiting_message *last;
	size_t waiting_size;
};

struct control_server {
	struct loop *loop;
	struct loop_source *source;
	struct control_place place;
	const struct control_command *commands;
	void (*gone)(void *context, struct control_peer *peer);
	void *context;
	struct control_peer *peers;
	size_t peer_count;
	char request[CONTROL_MESSAGE_LIMIT];
};

static void free_peer(struct control_peer *peer)
{
	while (peer->first) {
		struct waiting_message *message = peer->first;

		peer->first = message->next;
		free(message);
	}
	free(peer);
}

static void drop(struct control_peer *peer)
{
	struct control_server *server = peer->server;
	struct control_peer **link = &server->peers;

	if (peer->is_dropped)
		return;
	while (*link != peer)
		link = &(*link)->next;
	*link = peer->next;
	server->peer_count--;
	peer->is_dropped = true;
	loop_remove(peer->source);
	/* a forked child may hold the descriptor too: closing it alone would tell the peer nothing
	 */
	(void)shutdown(peer->fd, SHUT_RDWR);
	(void)close(peer->fd);
	if (server->gone)
		server->gone(server->context, peer);
	if (!peer->is_busy)
		free_peer(peer);
}

/* 1: sent, 0: later, negative errno. */
static int try_send(struct control_peer *peer, const char *bytes, size_t size)
{
	ssize_t sent;

	do {
		sent = send(peer->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return 1;
	return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
}

static int enqueue(struct control_peer *peer, const char *bytes, size_t size)
{
	struct waiting_message *message;

	if (peer->waiting_size + size > QUEUE_LIMIT)
		return -ETIMEDOUT;
	message = malloc(sizeof(*message) + size);
	if (!message)
		return -ENOMEM;
	message->next = NULL;
	message->size = size;
	memcpy(message->bytes, bytes, size);
	if (peer->last)
		peer->last->next = message;
	else
		peer->first = message;
	peer->last = message;
	peer->waiting_size += size;
	return loop_set_events(peer->source, EPOLLIN | EPOLLOUT);
}

static int send_message(struct control_peer *peer, const char *bytes, size_t size)
{
	int result = 0;

	if (size > CONTROL_MESSAGE_LIMIT)
		return -EMSGSIZE;
	if (!peer->first)
		result = try_send(peer, bytes, size);
	return result == 0 ? enqueue(peer, bytes, size) : result;
}

static int send_waiting(struct control_peer *peer)
{
	while (peer->first) {
		struct waiting_message *message = peer->first;
		int result = try_send(peer, message->bytes, message->size);

		if (result <= 0)
			return result;
		peer->first = message->next;
		peer->waiting_size -= message->size;
		free(message);
	}
	peer->last = NULL;
	return loop_set_events(peer->source, EPOLLIN);
}

bool control_answer_text(struct control_peer *peer, const char *text)
{
	if (peer->is_dropped)
		return false;
	if (send_message(peer, text, strlen(text)) >= 0)
		return true;
	drop(peer);
	return false;
}

bool control_answer(struct control_peer *peer, json_t *answer)
{
	_cleanup_(freep) char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

	json_decref(answer);
	if (text)
		return control_answer_text(peer, text);
	drop(peer);
	return false;
}

/* False: the peer is to be dropped. */
static bool take_request(struct control_peer *peer)
{
	struct control_server *server = peer->server;
	struct iovec place = {server->request, sizeof(server->request)};
	struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1};
	ssize_t size = recvmsg(peer->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	json_t *answer;

	if (size < 0)
		return errno == EAGAIN || errno == EINTR;
	if (size == 0 || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return false;
	answer = control_dispatch(server->commands, server->context, peer, peer->is_root,
				  server->request, (size_t)size);
	return !answer || control_answer(peer, answer);
}

static void peer_ready(void *context, int fd, uint32_t events)
{
	struct control_peer *peer = context;
	bool keep = true;

	(void)fd;
	peer->is_busy = true;
	if (events & EPOLLOUT)
		keep = send_waiting(peer) >= 0;
	if (keep && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		keep = take_request(peer);
	if (!keep)
		drop(peer);
	peer->is_busy = false;
	if (peer->is_dropped)
		free_peer(peer);
}

static int add_peer(struct control_server *server, int fd)
{
	struct control_peer *peer;
	struct ucred who;
	socklen_t size = sizeof(who);

	if (server->peer_count >= PEER_LIMIT)
		return -EUSERS;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
		return -errno;
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return -ENOMEM;
	peer->server = server;
	peer->fd = fd;
	peer->is_root = who.uid == 0 || who.uid == geteuid();
	if (loop_add_fd(server->loop, fd, EPOLLIN, peer_ready, peer, &peer->source) < 0) {
		free(peer);
		return -ENOMEM;
	}
	peer->next = server->peers;
	server->peers = peer;
	server->peer_count++;
	return 0;
}

/* Edge-triggered: a connection that cannot be taken now, for want of descriptors, is tried again
 * with the next one, and does not spin the loop until then. */
static void accept_peers(void *context, int listener, uint32_t events)
{
	struct control_server *server = context;
	int fd;

	(void)events;
	for (;;) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0)
			return;
		if (add_peer(server, fd) < 0)
			(void)close(fd);
	}
}

int control_server_new(struct loop *loop, const char *path, const struct control_command *commands,
		       void (*gone)(void *context, struct control_peer *peer), void *context,
		       struct control_server **ret_server, struct error *error)
{
	struct control_server *server = calloc(1, sizeof(*server));
	int result;

	if (!server)
		return error_set(error, ENOMEM, "%s: out of memory", path);
	server->loop = loop;
	server->commands = commands;
	server->gone = gone;
	server->context = context;
	result = control_place_take(&server->place, path, error);
	if (result < 0) {
		free(server);
		return result;
	}
	result = loop_add_fd(loop, server->place.listener, EPOLLIN | EPOLLET, accept_peers, server,
			     &server->source);
	if (result < 0) {
		control_place_leave(&server->place);
		free(server);
		return error_set(error, -result, "%s: %s", path, strerror(-result));
	}
	*ret_server = server;
	return 0;
}

void control_server_free(struct control_server *server)
{
	if (!server)
		return;
	loop_remove(server->source);
	while (server->peers)
		drop(server->peers);
	control_place_leave(&server->place);
	free(server);
}
