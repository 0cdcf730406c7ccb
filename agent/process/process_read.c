/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/process_read.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

void process_path(char path[PROCESS_PATH_SIZE], pid_t pid, const char *name)
{
	char digits[3 * sizeof(unsigned int)];
	unsigned int rest = (unsigned int)pid;
	char *end = stpcpy(path, "/proc/");
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	while (count)
		*end++ = digits[--count];
	*end++ = '/';
	*stpncpy(end, name, (size_t)(path + PROCESS_PATH_SIZE - 1 - end)) = '\0';
}

ssize_t process_read(struct transient *transient, pid_t pid, const char *name, char *bytes,
		     size_t size)
{
	char path[PROCESS_PATH_SIZE];
	ssize_t length;
	int fd;

	process_path(path, pid, name);
	fd = transient_open(transient, path, O_RDONLY);
	if (fd < 0)
		return fd;
	length = read_text(fd, bytes, size);
	transient_close(transient, fd);
	return length;
}

int process_read_stat(struct transient *transient, pid_t pid, struct process_stat *ret_stat)
{
	char line[1024];
	ssize_t size = process_read(transient, pid, "stat", line, sizeof(line));

	return size < 0 ? (int)size : process_stat_parse(line, ret_stat);
}

uint32_t process_read_user(struct transient *transient, pid_t pid)
{
	char status[1024];
	uint32_t user;

	if (process_read(transient, pid, "status", status, sizeof(status)) <= 0 ||
	    process_user_parse(status, &user) < 0)
		return UINT32_MAX;
	return user;
}

void process_read_link(pid_t pid, const char *name, char *path, size_t size)
{
	static const char mark[] = " (deleted)";
	const ssize_t mark_length = sizeof(mark) - 1;
	char link[PROCESS_PATH_SIZE];
	ssize_t length;

	process_path(link, pid, name);
	length = readlink(link, path, size - 1);
	if (length < 0)
		length = 0;
	if (length > mark_length && memcmp(path + length - mark_length, mark, mark_length) == 0)
		length -= mark_length;
	path[length] = '\0';
}
