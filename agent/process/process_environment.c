/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/process_environment.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "program/environment.h"

bool process_environment_brings_code(struct transient *transient, pid_t pid, const char *path)
{
	char variable[ENVIRONMENT_NAME_SIZE + 1];
	char bytes[4096];
	char place[64];
	size_t length = 0;
	bool found = false;
	ssize_t got;
	int fd;

	(void)snprintf(place, sizeof(place), "/proc/%d/environ", (int)pid);
	fd = transient_open(transient, place, O_RDONLY);
	if (fd < 0)
		return false;
	while (!found && (got = read(fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < got && !found; i++) {
			if (length < ENVIRONMENT_NAME_SIZE)
				variable[length++] = bytes[i];
			if (bytes[i])
				continue;
			variable[length] = '\0';
			found = environment_brings_code(path, variable);
			length = 0;
		}
	}
	transient_close(transient, fd);
	return found;
}
