/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/netlink_dump.h"

#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/cleanup.h"

/* The kernel fills at most this much in one answer (netlink_dump() in net/netlink/af_netlink.c). */
#define ANSWER_SIZE 32768

#define REQUEST_HEADER_MAX 32

int netlink_open(int protocol)
{
	const struct sockaddr_nl own = {.nl_family = AF_NETLINK};
	/* this only ends a wait that cannot end */
	const struct timeval patience = {.tv_sec = 2};
	_cleanup_(closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&own, sizeof(own)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		return -errno;
	return take_fd(&fd);
}

static int send_to_kernel(int fd, const void *bytes, size_t size)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t sent;

	do {
		sent = sendto(fd, bytes, size, MSG_NOSIGNAL, (const struct sockaddr *)&kernel,
			      sizeof(kernel));
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	return (size_t)sent == size ? 0 : -EIO;
}

/* Returns the size of one datagram of the kernel's, or negative errno. */
static ssize_t receive(int fd, void *answer)
{
	for (;;) {
		struct sockaddr_nl from = {0};
		struct iovec part = {answer, ANSWER_SIZE};
		struct msghdr message = {.msg_name = &from,
					 .msg_namelen = sizeof(from),
					 .msg_iov = &part,
					 .msg_iovlen = 1};
		ssize_t size = recvmsg(fd, &message, 0);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (message.msg_flags & MSG_TRUNC)
			return -ENOBUFS;
		/* other processes can send here, too */
		if (message.msg_namelen == sizeof(from) && from.nl_pid == 0)
			return size;
	}
}

static int error_of(const struct nlmsghdr *header)
{
	int error = -EBADMSG;

	if (header->nlmsg_len >= NLMSG_LENGTH(sizeof(error)))
		memcpy(&error, (const uint8_t *)header + NLMSG_HDRLEN, sizeof(error));
	return error;
}

struct dump {
	netlink_message_fn each;
	void *context;
	bool changed;
	bool finished;
	int result;
};

static void take_message(struct dump *dump, struct nlmsghdr *header)
{
	if (header->nlmsg_flags & NLM_F_DUMP_INTR)
		dump->changed = true;
	switch (header->nlmsg_type) {
	case NLMSG_NOOP:
		break;
	case NLMSG_OVERRUN:
		dump->finished = true;
		dump->result = -ENOBUFS;
		break;
	case NLMSG_ERROR:
		dump->finished = true;
		dump->result = error_of(header);
		break;
	case NLMSG_DONE:
		dump->finished = true;
		/* a dump that failed says so in the payload of its end */
		if (header->nlmsg_len >= NLMSG_LENGTH(sizeof(int)))
			dump->result = error_of(header);
		break;
	default:
		dump->each(dump->context, header);
	}
}

int netlink_dump(int fd, uint16_t type, const void *header, size_t header_size,
		 netlink_message_fn each, void *context)
{
	alignas(struct nlmsghdr) uint8_t request[NLMSG_SPACE(REQUEST_HEADER_MAX)] = {0};
	const struct nlmsghdr envelope = {
		.nlmsg_len = (uint32_t)NLMSG_LENGTH(header_size),
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
	};
	struct dump dump = {.each = each, .context = context};
	_cleanup_(freep) void *answer = malloc(ANSWER_SIZE);
	int result;

	if (!answer)
		return -ENOMEM;
	if (header_size > REQUEST_HEADER_MAX)
		return -EINVAL;
	memcpy(request, &envelope, sizeof(envelope));
	memcpy(request + NLMSG_HDRLEN, header, header_size);
	result = send_to_kernel(fd, request, envelope.nlmsg_len);
	if (result < 0)
		return result;
	while (!dump.finished) {
		ssize_t size = receive(fd, answer);

		if (size < 0)
			return (int)size;
		for (struct nlmsghdr *at = answer; NLMSG_OK(at, size) && !dump.finished;
		     at = NLMSG_NEXT(at, size))
			take_message(&dump, at);
	}
	if (dump.result < 0)
		return dump.result;
	return dump.changed ? -EINTR : 0;
}

int netlink_order(int fd, const void *requests, size_t size, size_t count, netlink_answer_fn each,
		  void *context)
{
	_cleanup_(freep) void *answer = malloc(ANSWER_SIZE);
	int result = answer ? send_to_kernel(fd, requests, size) : -ENOMEM;

	if (result < 0)
		return result;
	while (count > 0) {
		ssize_t got = receive(fd, answer);

		if (got < 0)
			return (int)got;
		for (struct nlmsghdr *at = answer; NLMSG_OK(at, got) && count > 0;
		     at = NLMSG_NEXT(at, got)) {
			if (at->nlmsg_type != NLMSG_ERROR)
				continue;
			each(context, error_of(at));
			count--;
		}
	}
	return 0;
}
