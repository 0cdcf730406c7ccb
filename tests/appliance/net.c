/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int net_connect(const char *name, const char *port, int family, int type)
{
	struct addrinfo hints = {.ai_family = family, .ai_socktype = type};
	struct addrinfo *list;
	int fd = -1;

	if (getaddrinfo(name, port, &hints, &list) != 0)
		return -1;
	for (struct addrinfo *at = list; at && fd < 0; at = at->ai_next) {
		fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
		if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) < 0) {
			(void)close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	return fd;
}

int net_listen(unsigned short port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int yes = 1;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 8) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

int net_ask(int fd, const void *question, int question_size, char *answer, int size)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	ssize_t got;

	if (send(fd, question, (size_t)question_size, MSG_NOSIGNAL) != question_size ||
	    poll(&readable, 1, 2000) != 1)
		return -1;
	got = recv(fd, answer, (size_t)size - 1, 0);
	answer[got > 0 ? got : 0] = '\0';
	return (int)got;
}
