/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/socket_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

#define SOCKET_LINK "socket:["

static void look_at(int directory, const char *name, socket_inode_fn found, void *context)
{
	char target[32];
	ssize_t length;

	if (name[0] == '.')
		return;
	length = readlinkat(directory, name, target, sizeof(target) - 1);
	if (length <= (ssize_t)strlen(SOCKET_LINK))
		return;
	target[length] = '\0';
	if (!strncmp(target, SOCKET_LINK, strlen(SOCKET_LINK)))
		found(context, (uint32_t)strtoul(target + strlen(SOCKET_LINK), NULL, 10));
}

int socket_scan_process(pid_t pid, socket_inode_fn found, void *context)
{
	/* getdents64 with a buffer of its own: opendir would allocate one for each process */
	union {
		struct dirent64 aligned;
		char bytes[4096];
	} buffer;
	_cleanup_(closep) int directory = -1;
	char path[32];
	ssize_t size;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return -errno;
	while ((size = getdents64(directory, buffer.bytes, sizeof(buffer))) > 0) {
		const struct dirent64 *entry;

		for (ssize_t offset = 0; offset < size; offset += entry->d_reclen) {
			entry = (const void *)(buffer.bytes + offset);
			look_at(directory, entry->d_name, found, context);
		}
	}
	return size < 0 ? -errno : 0;
}

static int compare_younger(const void *a, const void *b)
{
	pid_t left = *(const pid_t *)a;
	pid_t right = *(const pid_t *)b;

	return (left < right) - (left > right);
}

static void closedirp(DIR **directory)
{
	if (*directory)
		(void)closedir(*directory);
}

ssize_t socket_scan_processes(pid_t **pids, size_t *capacity, size_t limit)
{
	_cleanup_(closedirp) DIR *directory = opendir("/proc");
	const struct dirent *entry;
	size_t count = 0;

	if (!directory)
		return -errno;
	while (count < limit && (entry = readdir(directory))) {
		uint64_t pid;

		if (number_parse(entry->d_name, INT32_MAX, &pid) < 0)
			continue;
		if (array_reserve(pids, capacity, count, sizeof(**pids)) < 0)
			return -ENOMEM;
		(*pids)[count++] = (pid_t)pid;
	}
	if (count)
		qsort(*pids, count, sizeof(**pids), compare_younger);
	return (ssize_t)count;
}

pid_t socket_scan_parent(pid_t pid)
{
	_cleanup_(closep) int fd = -1;
	char path[32], text[256];
	const char *after_name;
	ssize_t length;
	int parent;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	length = read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	/* "pid (name) state ppid": the name may hold anything, a parenthesis too */
	after_name = strrchr(text, ')');
	if (!after_name || sscanf(after_name, ") %*c %d", &parent) != 1)
		return 0;
	return parent;
}

int socket_scan_program(pid_t pid, char path[PATH_MAX])
{
	static const char deleted[] = " (deleted)";
	char link[32];
	ssize_t length;

	(void)snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	length = readlink(link, path, PATH_MAX - 1);
	if (length < 0)
		return -errno;
	path[length] = '\0';
	if ((size_t)length > strlen(deleted) &&
	    !strcmp(path + (size_t)length - strlen(deleted), deleted))
		path[(size_t)length - strlen(deleted)] = '\0';
	return 0;
}
