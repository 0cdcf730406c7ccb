/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/transient.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#define COMMIT(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELEASE)

int transient_keep(struct transient *transient, int fd)
{
	for (size_t i = 0; transient && fd > 0 && i < TRANSIENT_LIMIT; i++) {
		if (!transient->fds[i]) {
			COMMIT(transient->fds[i], fd);
			break;
		}
	}
	return fd;
}

int transient_open(struct transient *transient, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 ? -errno : transient_keep(transient, fd);
}

void transient_close(struct transient *transient, int fd)
{
	if (fd < 0)
		return;
	/* first the note: a number that was closed belongs to whoever gets it next */
	for (size_t i = 0; transient && i < TRANSIENT_LIMIT; i++)
		if (transient->fds[i] == fd)
			COMMIT(transient->fds[i], 0);
	(void)close(fd);
}

void transient_close_all(struct transient *transient)
{
	for (size_t i = 0; i < TRANSIENT_LIMIT; i++)
		if (transient->fds[i] > 0)
			transient_close(transient, transient->fds[i]);
}
