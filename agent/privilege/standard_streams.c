/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "privilege/standard_streams.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int standard_streams_detach(void)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0)
		return -errno;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (null != fd && dup2(null, fd) < 0)
			return -errno;
	}
	if (null > STDERR_FILENO)
		(void)close(null);
	return 0;
}
