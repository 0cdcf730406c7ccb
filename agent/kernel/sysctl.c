/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"

static int open_setting(const char *root, const char *name, int flags)
{
	char path[PATH_MAX];
	int length = snprintf(path, sizeof(path), "%s/proc/sys/", root);
	int fd;

	if (length < 0 || (size_t)length + strlen(name) >= sizeof(path))
		return -ENAMETOOLONG;
	for (; *name; name++)
		path[length++] = *name == '.' ? '/' : *name;
	path[length] = '\0';
	fd = open(path, flags | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

int sysctl_read(const char *root, const char *name, long *ret_value)
{
	_cleanup_(closep) int fd = open_setting(root, name, O_RDONLY);
	char text[32];
	char *end;
	ssize_t size;
	long value;

	if (fd < 0)
		return fd;
	size = read(fd, text, sizeof(text) - 1);
	if (size < 0)
		return -errno;
	text[size] = '\0';
	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || (*end && *end != '\n'))
		return -EBADMSG;
	*ret_value = value;
	return 0;
}

int sysctl_write(const char *root, const char *name, long value)
{
	_cleanup_(closep) int fd = open_setting(root, name, O_WRONLY | O_TRUNC);
	char text[32];
	int length;

	if (fd < 0)
		return fd;
	length = snprintf(text, sizeof(text), "%ld\n", value);
	return write_all(fd, text, (size_t)length);
}
