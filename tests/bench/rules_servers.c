/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rules_servers ADDRESS RESOLVER: what rules_times talks to, until standard input ends: on ADDRESS
 * UDP echo at port 7000, TCP that takes connections at 7001 and bytes at 7002, sends bytes at
 * 7003; on RESOLVER DNS, where every name has one address, the next of 93.184.0.0/16.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int bound(const char *address, int type, uint16_t port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
	int one = 1;
	int fd = socket(AF_INET, type, 0);

	if (inet_pton(AF_INET, address, &name.sin_addr) != 1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 4096) < 0)) {
		perror(address);
		exit(1);
	}
	return fd;
}

static void echo(int fd)
{
	unsigned char buffer[2048];
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);
	ssize_t got;

	while ((got = recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&peer, &size)) >=
	       0) {
		(void)sendto(fd, buffer, (size_t)got, 0, (struct sockaddr *)&peer, size);
		size = sizeof(peer);
	}
}

static void take_connections(int fd)
{
	for (;;)
		close(accept(fd, NULL, NULL));
}

static void take_bytes(int fd)
{
	static char buffer[1 << 18];

	for (;;) {
		int connection = accept(fd, NULL, NULL);

		while (read(connection, buffer, sizeof(buffer)) > 0)
			;
		close(connection);
	}
}

static void send_bytes(int fd)
{
	static char buffer[1 << 18];

	for (;;) {
		int connection = accept(fd, NULL, NULL);

		while (write(connection, buffer, sizeof(buffer)) > 0)
			;
		close(connection);
	}
}

/* The question comes back with one A record, whose name points to it (RFC 1035 section 4.1.4). */
static void resolve(int fd)
{
	static const unsigned char record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 93, 184};
	unsigned char buffer[2048];
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);
	uint16_t next = 0;
	ssize_t got;

	while ((got = recvfrom(fd, buffer, sizeof(buffer) - 64, 0, (struct sockaddr *)&peer,
			       &size)) >= 12) {
		buffer[2] = 0x81; /* an answer, recursion desired and available */
		buffer[3] = 0x80;
		buffer[7] = 1;
		memcpy(buffer + got, record, sizeof(record));
		got += (ssize_t)sizeof(record);
		next++;
		buffer[got++] = (unsigned char)(next >> 8);
		buffer[got++] = (unsigned char)next;
		(void)sendto(fd, buffer, (size_t)got, 0, (struct sockaddr *)&peer, size);
		size = sizeof(peer);
	}
}

static void serve(void (*server)(int fd), int fd)
{
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		server(fd);
		_exit(1);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	char byte;

	if (argc != 3)
		return 2;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGCHLD, SIG_IGN);
	serve(echo, bound(argv[1], SOCK_DGRAM, 7000));
	serve(take_connections, bound(argv[1], SOCK_STREAM, 7001));
	serve(take_bytes, bound(argv[1], SOCK_STREAM, 7002));
	serve(send_bytes, bound(argv[1], SOCK_STREAM, 7003));
	serve(resolve, bound(argv[2], SOCK_DGRAM, 53));
	(void)printf("ready\n");
	(void)fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
