/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "privilege/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union descriptor_message {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

/* Numbers of standard streams are not for channels, even where those are closed. */
static int above_standard_streams(int *fd)
{
	int moved;

	if (*fd > STDERR_FILENO)
		return 0;
	moved = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (moved < 0)
		return -errno;
	(void)close(*fd);
	*fd = moved;
	return 0;
}

int channel_pair(int ret_ends[2])
{
	int ends[2];
	int result;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	result = above_standard_streams(&ends[0]);
	if (result == 0)
		result = above_standard_streams(&ends[1]);
	if (result < 0) {
		(void)close(ends[0]);
		(void)close(ends[1]);
		return result;
	}
	ret_ends[0] = ends[0];
	ret_ends[1] = ends[1];
	return 0;
}

static int send_flags(int channel, const void *records, size_t record_size, size_t count,
		      int passed_fd, int flags)
{
	struct iovec place = {.iov_base = (void *)(uintptr_t)records,
			      .iov_len = record_size * count};
	struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1};
	union descriptor_message control = {0};
	ssize_t sent;

	if (passed_fd >= 0) {
		struct cmsghdr *header;

		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(passed_fd));
		memcpy(CMSG_DATA(header), &passed_fd, sizeof(passed_fd));
	}
	do {
		sent = sendmsg(channel, &message, MSG_NOSIGNAL | flags);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

int channel_send(int channel, const void *records, size_t record_size, size_t count, int passed_fd)
{
	return send_flags(channel, records, record_size, count, passed_fd, 0);
}

int channel_offer(int channel, const void *records, size_t record_size, size_t count, int passed_fd)
{
	return send_flags(channel, records, record_size, count, passed_fd, MSG_DONTWAIT);
}

int channel_write(int channel, const void *records, size_t record_size, size_t count)
{
	ssize_t written;

	do {
		written = write(channel, records, record_size * count);
	} while (written < 0 && errno == EINTR);
	return written < 0 ? -errno : 0;
}

static int passed_descriptor(struct msghdr *message)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(message);
	int fd;

	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof(fd)))
		return -1;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

int channel_receive(int channel, void *records, size_t record_size, size_t limit, bool wait,
		    int *ret_passed_fd)
{
	struct iovec place = {.iov_base = records, .iov_len = record_size * limit};
	struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1};
	union descriptor_message control = {0};
	ssize_t received;
	int fd = -1;

	if (ret_passed_fd) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
	}
	do {
		received = recvmsg(channel, &message, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
	} while (received < 0 && errno == EINTR);
	if (received < 0)
		return errno == ECONNRESET ? 0 : -errno;
	if (ret_passed_fd)
		fd = passed_descriptor(&message);
	if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || (size_t)received % record_size != 0) {
		if (fd >= 0)
			(void)close(fd);
		return -EBADMSG;
	}
	if (ret_passed_fd)
		*ret_passed_fd = fd;
	return (int)((size_t)received / record_size);
}
