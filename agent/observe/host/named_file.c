/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/named_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

/* "/dev/fd/3": by fexecve(3), or a shell's <(…) */
bool named_file_is_descriptor(const char *name, uint64_t *ret_number)
{
	static const char *const places[] = {"/dev/fd/", "/proc/self/fd/"};

	if (strcmp(name, "/dev/stdin") == 0) {
		*ret_number = 0;
		return true;
	}
	for (size_t i = 0; i < array_length(places); i++)
		if (strncmp(name, places[i], strlen(places[i])) == 0)
			return number_parse(name + strlen(places[i]), INT32_MAX, ret_number) == 0;
	return false;
}

bool named_file_is_stream(const char *name)
{
	static const char *const devices[] = {"/dev/console", "/dev/null", "/dev/tty"};
	uint64_t number;

	for (size_t i = 0; i < array_length(devices); i++)
		if (strcmp(name, devices[i]) == 0)
			return true;
	return named_file_is_descriptor(name, &number);
}

int named_file_open(pid_t pid, const char *name, bool within_mount)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
	_cleanup_(closep) int from = -1;
	uint64_t number;
	char path[64];
	long place;

	if (named_file_is_descriptor(name, &number)) {
		(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, (int)number);
		place = open(path, O_PATH | O_CLOEXEC);
		return place < 0 ? -errno : (int)place;
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid,
		       name[0] == '/' ? "root" : "cwd");
	from = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (from < 0)
		return -errno;
	if (name[0] == '/')
		how.resolve |= RESOLVE_IN_ROOT;
	if (within_mount)
		how.resolve |= RESOLVE_NO_XDEV;
	place = syscall(SYS_openat2, from, name, &how, sizeof(how));
	if (place >= 0 || errno != ENOSYS)
		return place < 0 ? -errno : (int)place;
	if (within_mount)
		return -EOPNOTSUPP;
	if (strncmp(name, "/dev/", 5) == 0 || strncmp(name, "/proc/", 6) == 0)
		return -ELOOP;
	place = openat(from, name + strspn(name, "/"), O_PATH | O_CLOEXEC);
	return place < 0 ? -errno : (int)place;
}

int regular_file_reopen(int place)
{
	char link[64];
	struct stat status;
	int fd;

	if (fstat(place, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", place);
	fd = open(link, O_RDONLY | O_CLOEXEC | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = open(link, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
