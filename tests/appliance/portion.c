/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The periodic job: drops a portion, tells the log server, and is gone after some ten milliseconds.
 */
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net.h"

int main(void)
{
	struct timespec some = {.tv_nsec = 10 * 1000 * 1000};
	int fd = net_connect("log.feeder.example", "8883", AF_INET, SOCK_STREAM);

	if (fd < 0)
		return 1;
	(void)send(fd, "portion\n", 8, MSG_NOSIGNAL);
	(void)nanosleep(&some, NULL);
	(void)close(fd);
	return 0;
}
