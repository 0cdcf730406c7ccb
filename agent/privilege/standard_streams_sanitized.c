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
	if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return -errno;
	if (null > STDERR_FILENO)
		(void)close(null);
	return 0;
}
