/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that uses one socket, for the tests of the socket watch:
 *
 *	socket_user listen  PROTOCOL ADDRESS PORT HOLD_MS [PROGRAM]
 *	socket_user connect PROTOCOL ADDRESS PORT HOLD_MS [PROGRAM]
 *	socket_user send    PROTOCOL ADDRESS PORT HOLD_MS [PROGRAM]
 *	socket_user hold    HOLD_MS
 *
 * PROTOCOL: tcp, udp, udplite, ping, raw (both ICMP). An IPv6 socket takes IPv4 too unless the
 *address begins with '='. Prints the local port when the socket is ready, and holds it for the time
 *given; PROGRAM inherits it and is run as "PROGRAM hold HOLD_MS".
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int fill_address(const char *text, const char *port, struct sockaddr_storage *address,
			socklen_t *size)
{
	struct sockaddr_in *v4 = (void *)address;
	struct sockaddr_in6 *v6 = (void *)address;

	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)atoi(port));
		*size = sizeof(*v4);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		return -1;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)atoi(port));
	*size = sizeof(*v6);
	return 0;
}

static int open_socket(const char *protocol, int family, int v6_only)
{
	static const struct {
		const char *name;
		int type;
		int protocol;
	} kinds[] = {
		{"tcp", SOCK_STREAM, 0},
		{"udp", SOCK_DGRAM, 0},
		{"udplite", SOCK_DGRAM, IPPROTO_UDPLITE},
		{"ping", SOCK_DGRAM, IPPROTO_ICMP},
		{"raw", SOCK_RAW, IPPROTO_ICMP},
	};
	int fd = -1;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(protocol, kinds[i].name))
			fd = socket(family, kinds[i].type, kinds[i].protocol);
	if (fd >= 0 && family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	return fd;
}

static int use(int fd, const char *verb, const char *protocol, const struct sockaddr_storage *peer,
	       socklen_t size)
{
	if (!strcmp(verb, "listen")) {
		if (bind(fd, (const void *)peer, size) < 0)
			return -1;
		return strcmp(protocol, "tcp") ? 0 : listen(fd, 1024);
	}
	if (!strcmp(verb, "connect"))
		return connect(fd, (const void *)peer, size);
	return sendto(fd, "x", 1, 0, (const void *)peer, size) == 1 ? 0 : -1;
}

static int hold(const char *time_ms)
{
	return usleep((useconds_t)atoi(time_ms) * 1000);
}

int main(int argc, char **argv)
{
	struct sockaddr_storage address;
	struct sockaddr_in6 local = {0};
	socklen_t size;
	int v6_only, fd;

	if (argc == 3 && !strcmp(argv[1], "hold"))
		return hold(argv[2]);
	if (argc < 6)
		return 2;
	v6_only = argv[3][0] == '=';
	if (fill_address(argv[3] + v6_only, argv[4], &address, &size) < 0)
		return 2;
	fd = open_socket(argv[2], address.ss_family, v6_only);
	if (fd < 0 || use(fd, argv[1], argv[2], &address, size) < 0) {
		perror(argv[1]);
		return 1;
	}
	if (argc > 6 && fork() == 0) {
		(void)execl(argv[6], argv[6], "hold", argv[5], (char *)NULL);
		_exit(127);
	}
	if (argc > 6)
		(void)usleep(50 * 1000); /* until it runs */
	size = sizeof(local);
	(void)getsockname(fd, (void *)&local, &size);
	/* the port is at the same place in both families */
	(void)printf("%u\n", ntohs(local.sin6_port));
	(void)fflush(stdout);
	return hold(argv[5]);
}
