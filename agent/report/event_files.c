/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/event_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "report/event_line.h"
#include "report/event_log.h"

#define FILE_COUNT 2

/* A reader takes files of any limit that a log may have had. */
#define READ_LIMIT ((size_t)1 << 30)

static int path_of(const char *directory, unsigned int number, char path[PATH_MAX],
		   struct error *error)
{
	if (snprintf(path, PATH_MAX, "%s/events.%u", directory, number) >= PATH_MAX)
		return error_set(error, ENAMETOOLONG, "%s: path too long", directory);
	return 0;
}

/* What a file holds, line by line. */
struct scan {
	uint64_t first_id;
	uint64_t last_id;
	off_t size;
	bool torn; /* does not end with a newline */
};

static void scan_line(struct scan *scan, const char *line, size_t size)
{
	uint64_t id = event_line_id(line, size);

	if (!id)
		return;
	if (!scan->first_id)
		scan->first_id = id;
	if (id > scan->last_id)
		scan->last_id = id;
}

/* Only the beginning of a line is looked at, so that lines of any length pass through a small
 * buffer. */
static int scan_file(int fd, struct scan *ret_scan)
{
	struct scan scan = {0};
	char beginning[64];
	size_t used = 0;
	char buffer[16384];
	ssize_t got;

	while ((got = pread(fd, buffer, sizeof(buffer), scan.size)) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (buffer[i] == '\n') {
				scan_line(&scan, beginning, used);
				used = 0;
			} else if (used < sizeof(beginning)) {
				beginning[used++] = buffer[i];
			}
		}
		scan.torn = buffer[got - 1] != '\n';
		scan.size += got;
	}
	if (got < 0)
		return -errno;
	scan_line(&scan, beginning, used);
	*ret_scan = scan;
	return 0;
}

static int open_file(struct event_files *files, unsigned int number, const char *path,
		     struct scan *ret_scan, struct error *error)
{
	_cleanup_(closep) int fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat status;
	int result;

	if (fd < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return error_set(error, EINVAL, "%s: is not a regular file; remove it", path);
	result = scan_file(fd, ret_scan);
	if (result < 0)
		return error_set(error, -result, "%s: %s", path, strerror(-result));
	/* if the disk is full the torn line stays, and the next one is lost with it */
	if (ret_scan->torn && pwrite(fd, "\n", 1, ret_scan->size) == 1)
		ret_scan->size++;
	files->sizes[number] = ret_scan->size;
	files->fds[number] = take_fd(&fd);
	return 0;
}

int event_files_open(struct event_files *files, const char *directory, size_t limit,
		     struct error *error)
{
	struct scan scans[FILE_COUNT] = {0};
	char path[PATH_MAX];
	int result;

	*files = (struct event_files){.fds = {-1, -1}, .limit = limit};
	if (!directory)
		return 0;
	result = directory_make(directory, 0700, error);
	for (unsigned int i = 0; i < FILE_COUNT && result == 0; i++) {
		result = path_of(directory, i, path, error);
		if (result == 0)
			result = open_file(files, i, path, &scans[i], error);
	}
	if (result < 0) {
		event_files_close(files);
		return result;
	}
	files->current = scans[1].last_id > scans[0].last_id;
	files->last_id = scans[files->current].last_id;
	return 0;
}

void event_files_close(struct event_files *files)
{
	for (unsigned int i = 0; i < FILE_COUNT; i++) {
		closep(&files->fds[i]);
		files->fds[i] = -1;
	}
}

int event_files_append(struct event_files *files, const char *line, size_t size)
{
	struct iovec parts[] = {{(void *)(uintptr_t)line, size}, {(char[]){'\n'}, 1}};
	ssize_t written;
	off_t at;

	if (files->fds[0] < 0)
		return 0;
	if (files->sizes[files->current] > 0 &&
	    (size_t)files->sizes[files->current] + size + 1 > files->limit) {
		unsigned int other = !files->current;

		if (ftruncate(files->fds[other], 0) < 0)
			return -errno;
		files->sizes[other] = 0;
		files->current = other;
	}
	at = files->sizes[files->current];
	do {
		written = pwritev(files->fds[files->current], parts, array_length(parts), at);
	} while (written < 0 && errno == EINTR);
	if (written == (ssize_t)size + 1) {
		files->sizes[files->current] += written;
		return 0;
	}
	if (written < 0)
		return -errno;
	/* the next line goes to the same place */
	(void)!ftruncate(files->fds[files->current], at);
	return -ENOSPC;
}

static uint64_t first_id(const char *bytes, size_t size)
{
	const char *at = bytes;
	const char *end = bytes + size;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		uint64_t id = event_line_id(at, (size_t)((newline ? newline : end) - at));

		if (id)
			return id;
		if (!newline)
			break;
		at = newline + 1;
	}
	return 0;
}

/* A line without its newline is still being written. */
static void deliver_lines(char *bytes, size_t size, event_line_fn line, void *context)
{
	char *at = bytes;
	char *end = bytes + size;
	char *newline;

	while (at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		size_t length = (size_t)(newline - at);
		json_t *event = event_line_id(at, length) ? event_parse(at, length) : NULL;

		*newline = '\0';
		if (event)
			line(context, event_line_id(at, length), at);
		json_decref(event);
		at = newline + 1;
	}
}

int event_files_read(const char *directory, event_line_fn line, void *context, struct error *error)
{
	_cleanup_(freep) char *first = NULL;
	_cleanup_(freep) char *second = NULL;
	char **contents[FILE_COUNT] = {&first, &second};
	size_t sizes[FILE_COUNT] = {0};
	unsigned int older;
	int missing = 0;

	for (unsigned int i = 0; i < FILE_COUNT; i++) {
		char path[PATH_MAX];
		int result = path_of(directory, i, path, error);

		if (result == 0)
			result = file_read(path, READ_LIMIT, contents[i], &sizes[i], error);
		if (result < 0 && result != -ENOENT)
			return result;
		missing += result < 0;
	}
	if (missing == FILE_COUNT)
		return -ENOENT;
	older = sizes[1] && (!sizes[0] || first_id(second, sizes[1]) < first_id(first, sizes[0]));
	deliver_lines(*contents[older], sizes[older], line, context);
	deliver_lines(*contents[!older], sizes[!older], line, context);
	return 0;
}
