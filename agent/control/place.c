/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define BACKLOG 16

/* Of /proc/net/unix: the socket listens (net/unix/af_unix.c, unix_seq_show). */
#define FLAG_ACCEPTS 0x10000

int control_address(const char *path, struct sockaddr_un *ret_address)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	*ret_address = address;
	return 0;
}

/* The inode of a line of /proc/net/unix, if that is of a socket that listens at path, else 0. */
static unsigned long listening_inode(const char *line, const char *path)
{
	unsigned long inode;
	unsigned int flags;
	int name = 0;

	if (sscanf(line, "%*s %*s %*s %x %*s %*s %lu %n", &flags, &inode, &name) < 2 || !name ||
	    !(flags & FLAG_ACCEPTS))
		return 0;
	return strcmp(line + name, path) == 0 ? inode : 0;
}

static bool process_holds(pid_t pid, unsigned long inode)
{
	char directory[48];
	char wanted[48];
	struct dirent *entry;
	bool found = false;
	DIR *stream;

	(void)snprintf(directory, sizeof(directory), "/proc/%d/fd", (int)pid);
	(void)snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	stream = opendir(directory);
	if (!stream)
		return errno != ENOENT;
	while (!found && (entry = readdir(stream))) {
		char target[64];
		ssize_t size = readlinkat(dirfd(stream), entry->d_name, target, sizeof(target) - 1);

		if (size < 0)
			continue;
		target[size] = '\0';
		found = strcmp(target, wanted) == 0;
	}
	(void)closedir(stream);
	return found;
}

bool control_place_is_held(const char *path, pid_t pid)
{
	_cleanup_(fclosep) FILE *sockets = fopen("/proc/net/unix", "re");
	char line[512];

	if (!sockets || pid <= 0)
		return true;
	while (fgets(line, sizeof(line), sockets)) {
		unsigned long inode;

		line[strcspn(line, "\n")] = '\0';
		inode = listening_inode(line, path);
		if (inode && process_holds(pid, inode))
			return true;
	}
	return false;
}

/* Beside the socket: who listens there, for when it cannot be asked. */
static bool pid_path(const char *path, char ret_path[PATH_MAX])
{
	return snprintf(ret_path, PATH_MAX, "%s.pid", path) < PATH_MAX;
}

static void write_pid(const char *path)
{
	char beside[PATH_MAX];
	char text[16];
	_cleanup_(closep) int fd = -1;

	if (!pid_path(path, beside))
		return;
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	(void)snprintf(text, sizeof(text), "%d\n", (int)getpid());
	/* without it only a dead server with a full queue is not known to be dead */
	if (fd >= 0 && write_all(fd, text, strlen(text)) < 0)
		(void)unlink(beside);
}

/* 0: not known. */
static pid_t read_pid(const char *path)
{
	_cleanup_(freep) char *text = NULL;
	char beside[PATH_MAX];
	uint64_t pid;
	size_t size;

	if (!pid_path(path, beside) || file_read(beside, 16, &text, &size, NULL) < 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return number_parse(text, INT32_MAX, &pid) < 0 ? 0 : (pid_t)pid;
}

/* Whoever listens there, unless it is a process that is gone: its workers may hold the socket on.
 */
static int expect_nobody(const char *path, const struct sockaddr_un *address, struct error *error)
{
	_cleanup_(closep) int fd =
		socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct ucred who = {0};
	socklen_t size = sizeof(who);

	if (fd < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			return 0;
		if (errno != EAGAIN)
			return error_set(error, errno, "%s: %s", path, strerror(errno));
		/* a full queue: nobody takes connections any more, or not soon */
		who.pid = read_pid(path);
	} else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0) {
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	}
	if (!control_place_is_held(path, who.pid))
		return 0;
	return error_set(error, EADDRINUSE,
			 "%s: process %d enforces here already; 'rtguard stop' ends it", path,
			 (int)who.pid);
}

static int listen_at(struct control_place *place, const struct sockaddr_un *address,
		     struct error *error)
{
	_cleanup_(closep) int fd =
		socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const char *path = address->sun_path;
	struct stat status;

	if (fd < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (lstat(path, &status) == 0) {
		if (!S_ISSOCK(status.st_mode))
			return error_set(error, EEXIST, "%s: is there and is no socket", path);
		(void)unlink(path);
	}
	/* of the socket: the file gets it when it is made, so that it is never open to others */
	if (fchmod(fd, 0600) < 0 ||
	    bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (chmod(path, 0600) < 0 || lstat(path, &status) < 0 || listen(fd, BACKLOG) < 0) {
		int code = errno;

		(void)unlink(path);
		return error_set(error, code, "%s: %s", path, strerror(code));
	}
	place->device = status.st_dev;
	place->inode = status.st_ino;
	place->listener = take_fd(&fd);
	write_pid(path);
	return 0;
}

/* Two that start at the same time look one after the other. */
static int lock_directory(const char *path, int *ret_fd, struct error *error)
{
	_cleanup_(freep) char *directory = strdup(path);
	_cleanup_(closep) int fd = -1;
	char *slash = directory ? strrchr(directory, '/') : NULL;
	int result = 0;

	if (!directory)
		return error_set(error, ENOMEM, "%s: out of memory", path);
	if (slash && slash != directory) {
		*slash = '\0';
		result = directory_make(directory, 0755, error);
		if (result < 0)
			return result;
	}
	fd = open(!slash	       ? "."
		  : slash == directory ? "/"
				       : directory,
		  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return error_set(error, errno, "%s: %s", directory, strerror(errno));
	*ret_fd = take_fd(&fd);
	return 0;
}

int control_place_take(struct control_place *place, const char *path, struct error *error)
{
	_cleanup_(closep) int lock = -1;
	struct sockaddr_un address;
	int result;

	*place = (struct control_place){.listener = -1};
	if (control_address(path, &address) < 0)
		return error_set(error, ENAMETOOLONG, "%s: too long for a socket", path);
	result = lock_directory(path, &lock, error);
	if (result < 0)
		return result;
	place->path = strdup(path);
	if (!place->path)
		return error_set(error, ENOMEM, "%s: out of memory", path);
	result = expect_nobody(path, &address, error);
	if (result == 0)
		result = listen_at(place, &address, error);
	if (result < 0)
		free(take_pointer(place->path));
	return result;
}

void control_place_leave(struct control_place *place)
{
	struct stat status;

	if (lstat(place->path, &status) == 0 && status.st_dev == place->device &&
	    status.st_ino == place->inode) {
		char beside[PATH_MAX];

		(void)unlink(place->path);
		if (pid_path(place->path, beside))
			(void)unlink(beside);
	}
	/* children may hold it: whoever connects is to be refused */
	(void)shutdown(place->listener, SHUT_RDWR);
	(void)close(place->listener);
	free(place->path);
}
