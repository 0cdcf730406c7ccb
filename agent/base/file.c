/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

int file_read(const char *path, size_t limit, char **ret_bytes, size_t *ret_size,
	      struct error *error)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_(freep) char *bytes = NULL;
	size_t size = 0;
	size_t capacity = 0;
	struct stat status;

	if (fd < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &status) < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (S_ISDIR(status.st_mode))
		return error_set(error, EISDIR, "%s: is a directory, not a file", path);
	for (;;) {
		ssize_t got;

		if (size + 1 >= capacity) {
			size_t larger = capacity ? capacity * 2 : 65536;
			char *moved = realloc(bytes, larger);

			if (!moved)
				return error_set(error, ENOMEM, "%s: out of memory", path);
			bytes = moved;
			capacity = larger;
		}
		got = read(fd, bytes + size, capacity - size - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set(error, errno, "%s: %s", path, strerror(errno));
		if (got == 0)
			break;
		size += (size_t)got;
		if (size > limit)
			return error_set(error, EFBIG, "%s: larger than the limit of %zu bytes",
					 path, limit);
	}
	bytes[size] = '\0';
	*ret_bytes = take_pointer(bytes);
	*ret_size = size;
	return 0;
}

int directory_make(const char *path, mode_t mode, struct error *error)
{
	_cleanup_(freep) char *copy = strdup(path);
	struct stat status;

	if (!copy)
		return error_set(error, ENOMEM, "%s: out of memory", path);
	for (char *at = copy + (*copy == '/'); *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return error_set(error, errno, "%s: %s", copy, strerror(errno));
		*at = '/';
	}
	if (mkdir(copy, mode) < 0 && errno != EEXIST)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (stat(path, &status) < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(status.st_mode))
		return error_set(error, ENOTDIR, "%s: is there and is no directory", path);
	return 0;
}

int write_all(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size > 0) {
		ssize_t written = write(fd, at, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		at += written;
		size -= (size_t)written;
	}
	return 0;
}

static int sync_directory_of(const char *path)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;
	_cleanup_(closep) int fd = -1;

	if (length >= sizeof(directory))
		return -ENAMETOOLONG;
	if (!slash)
		(void)snprintf(directory, sizeof(directory), ".");
	else
		(void)snprintf(directory, sizeof(directory), "%.*s", length ? (int)length : 1,
			       length ? path : "/");
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Some file systems cannot sync a directory; the rename is as good as it gets there. */
	return fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
}

static int write_and_close(int fd, const void *bytes, size_t size)
{
	int result = write_all(fd, bytes, size);

	if (result == 0 && fsync(fd) < 0)
		result = -errno;
	if (close(fd) < 0 && result == 0)
		result = -errno;
	return result;
}

/* Makes an empty file beside what path leads to. Returns its descriptor. */
static int make_beside(const char *path, char target[PATH_MAX], char temporary[PATH_MAX],
		       struct error *error)
{
	struct stat status;
	int fd;

	/* a link is followed: its file is replaced, not the link */
	if (!realpath(path, target) && snprintf(target, PATH_MAX, "%s", path) >= PATH_MAX)
		return error_set(error, ENAMETOOLONG, "%s: path too long", path);
	if (stat(target, &status) == 0 && !S_ISREG(status.st_mode))
		return error_set(error, S_ISDIR(status.st_mode) ? EISDIR : EINVAL,
				 "%s: is not a regular file; name a file to write", path);
	if (snprintf(temporary, PATH_MAX, "%s.XXXXXX", target) >= PATH_MAX)
		return error_set(error, ENAMETOOLONG, "%s: path too long", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return error_set(error, errno, "%s: cannot create a file beside it: %s", path,
				 strerror(errno));
	return fd;
}

int file_check_replaceable(const char *path, struct error *error)
{
	char target[PATH_MAX];
	char temporary[PATH_MAX];
	int fd = make_beside(path, target, temporary, error);

	if (fd < 0)
		return fd;
	(void)close(fd);
	(void)unlink(temporary);
	return 0;
}

/* As the file that is to be replaced, or as a new file would be. */
static void take_over_mode(int fd, const char *target)
{
	struct stat status;

	if (stat(target, &status) < 0) {
		(void)fchmod(fd, 0644);
		return;
	}
	/* without privileges the owner is the caller, which is as good */
	if (fchown(fd, status.st_uid, status.st_gid) < 0)
		errno = 0;
	(void)fchmod(fd, status.st_mode & 07777);
}

int file_replace(const char *path, const void *bytes, size_t size, struct error *error)
{
	char target[PATH_MAX];
	char temporary[PATH_MAX];
	int fd = make_beside(path, target, temporary, error);
	int result;

	if (fd < 0)
		return fd;
	take_over_mode(fd, target);
	result = write_and_close(fd, bytes, size);
	if (result == 0 && rename(temporary, target) < 0)
		result = -errno;
	if (result < 0) {
		(void)unlink(temporary);
		return error_set(error, -result, "%s: %s; what was there before is unchanged", path,
				 strerror(-result));
	}
	result = sync_directory_of(target);
	if (result < 0)
		return error_set(error, -result, "%s: cannot sync its directory: %s", path,
				 strerror(-result));
	return 0;
}

ssize_t read_text(int fd, char *bytes, size_t size)
{
	size_t length = 0;

	while (length < size - 1) {
		ssize_t got = read(fd, bytes + length, size - 1 - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	bytes[length] = '\0';
	return (ssize_t)length;
}
