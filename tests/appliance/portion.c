/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The periodic job: drops a portion, tells the log server, and is gone after some ten milliseconds.
 * Its maker forgot a hole here too: PORTION_LOG=tcp,HOST,PORT or udp,HOST,PORT is told instead.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net.h"

#define PATIENCE_S 1

static int connect_elsewhere(char *place)
{
	char *rest = NULL;
	const char *transport = strtok_r(place, ",", &rest);
	const char *host = strtok_r(NULL, ",", &rest);
	const char *port = strtok_r(NULL, ",", &rest);

	if (!port)
		return -1;
	(void)alarm(PATIENCE_S);
	return net_connect(host, port, AF_UNSPEC,
			   strcmp(transport, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM);
}

int main(void)
{
	struct timespec some = {.tv_nsec = 10 * 1000 * 1000};
	char *elsewhere = getenv("PORTION_LOG");
	int fd = elsewhere ? connect_elsewhere(elsewhere)
			   : net_connect("log.feeder.example", "8883", AF_INET, SOCK_STREAM);

	if (fd < 0)
		return 1;
	(void)send(fd, "portion\n", 8, MSG_NOSIGNAL);
	(void)nanosleep(&some, NULL);
	(void)close(fd);
	return 0;
}
