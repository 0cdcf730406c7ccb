/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/unblocked.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int unblocked_open(int fd)
{
	struct stat status;
	char path[32];
	int opened = -1;

	if (fstat(fd, &status) < 0)
		return -errno;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode))
		opened = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (opened < 0)
		opened = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return opened < 0 ? -errno : opened;
}

ssize_t unblocked_write(int fd, const void *bytes, size_t size)
{
	struct pollfd room = {.fd = fd, .events = POLLOUT};
	ssize_t written = send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (written < 0 && errno == ENOTSOCK) {
		/* one that could not be opened anew may wait; if it has room, it does not */
		if (poll(&room, 1, 0) != 1 || !(room.revents & POLLOUT))
			return -EAGAIN;
		written = write(fd, bytes, size);
	}
	return written < 0 ? -errno : written;
}
