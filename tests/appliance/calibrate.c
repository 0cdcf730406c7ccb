/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The job that runs at boot only: zeroes the scale and looks for an update once. */
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"

int main(void)
{
	int fd = net_connect("update.feeder.example", "443", AF_INET, SOCK_STREAM);

	if (fd >= 0)
		(void)close(fd);
	return fd < 0;
}
