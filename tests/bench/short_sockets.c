/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * short_sockets client|listener COUNT LIFETIME_MS PER_SECOND DIRECTORY ADDRESS FIRST_PORT: distinct
 * programs, each started once, copy i with port FIRST_PORT + i: a client that connects to ADDRESS,
 * or a TCP listener on ADDRESS; the socket and the program live LIFETIME_MS. With four arguments it
 * is such a program.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "copies.h"

static int be_one(char **argv)
{
	struct sockaddr_in place = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int yes = 1;
	int done;

	if (fd < 0 || inet_pton(AF_INET, argv[2], &place.sin_addr) != 1)
		return 2;
	place.sin_port = htons((uint16_t)strtol(argv[3], NULL, 10));
	if (strcmp(argv[1], "client") == 0) {
		done = connect(fd, (const struct sockaddr *)&place, sizeof(place));
	} else {
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
		done = bind(fd, (const struct sockaddr *)&place, sizeof(place));
		if (done == 0)
			done = listen(fd, 4);
	}
	if (done < 0)
		perror(argv[1]);
	sleep_s(strtod(argv[4], NULL) / 1000);
	return done < 0;
}

static void one(void *context, int i, char texts[4][64])
{
	char **argv = context;

	(void)snprintf(texts[0], 64, "%s", argv[1]);
	(void)snprintf(texts[1], 64, "%s", argv[6]);
	(void)snprintf(texts[2], 64, "%ld", strtol(argv[7], NULL, 10) + i);
	(void)snprintf(texts[3], 64, "%s", argv[3]);
}

int main(int argc, char **argv)
{
	if (argc == 5)
		return be_one(argv);
	if (argc != 8) {
		(void)fprintf(stderr, "usage: short_sockets client|listener COUNT LIFETIME_MS "
				      "PER_SECOND DIRECTORY ADDRESS FIRST_PORT\n");
		return 2;
	}
	if (copies_make(argv[5], (int)strtol(argv[2], NULL, 10)) < 0)
		return 2;
	sleep_s(1);
	return copies_start(argv[5], (int)strtol(argv[2], NULL, 10), strtod(argv[4], NULL), one,
			    argv) < 0
		       ? 2
		       : 0;
}
