/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/xtables_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"

#define SLICE_MS 50u

/* "iptables (process 812)" from /proc/locks; "another process" where it does not say. */
static void find_holder(int fd, char *text, size_t size)
{
	_cleanup_(fclosep) FILE *locks = fopen("/proc/locks", "re");
	struct stat status;
	char line[256];

	(void)snprintf(text, size, "another process");
	if (!locks || fstat(fd, &status) < 0)
		return;
	while (fgets(line, sizeof(line), locks)) {
		unsigned int device_major;
		unsigned int device_minor;
		unsigned long long inode;
		int pid;

		/* proc(5): "1: FLOCK ADVISORY WRITE 812 00:19:4711 0 EOF"; those who wait have
		 * "->" after the number */
		if (sscanf(line, "%*u: FLOCK ADVISORY %*s %d %x:%x:%llu", &pid, &device_major,
			   &device_minor, &inode) != 4)
			continue;
		if (inode == status.st_ino && device_major == major(status.st_dev) &&
		    device_minor == minor(status.st_dev) && pid > 0) {
			char path[32];
			char name[32] = "";
			_cleanup_(closep) int comm = -1;

			(void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
			comm = open(path, O_RDONLY | O_CLOEXEC);
			if (comm >= 0 && read_text(comm, name, sizeof(name)) > 0)
				name[strcspn(name, "\n")] = '\0';
			(void)snprintf(text, size, "%s (process %d)", name[0] ? name : "a program",
				       pid);
			return;
		}
	}
}

/* The file as iptables(8) makes it, and the directory where even that is missing. */
static int open_lock_file(const char *path, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);

	if (fd < 0 && errno == ENOENT) {
		_cleanup_(freep) char *directory = strdup(path);
		char *slash = directory ? strrchr(directory, '/') : NULL;

		if (slash && slash != directory) {
			int result;

			*slash = '\0';
			result = directory_make(directory, 0755, error);
			if (result < 0)
				return result;
			fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
		} else {
			errno = ENOENT;
		}
	}
	if (fd < 0)
		return error_set(error, errno,
				 "%s: cannot be opened for the lock of iptables: %s "
				 "(XTABLES_LOCKFILE names another)",
				 path, strerror(errno));
	return fd;
}

int xtables_lock(unsigned int wait_ms, int *ret_fd, struct error *error)
{
	const char *named = secure_getenv("XTABLES_LOCKFILE");
	const char *path = named && named[0] ? named : XTABLES_LOCK_FILE;
	uint64_t until_ns = clock_monotonic_ns() + wait_ms * NS_PER_MS;
	_cleanup_(closep) int fd = open_lock_file(path, error);
	char holder[80];

	if (fd < 0)
		return fd;
	for (;;) {
		uint64_t now_ns;
		struct timespec slice = {.tv_nsec = SLICE_MS * NS_PER_MS};

		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			*ret_fd = take_fd(&fd);
			return 0;
		}
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_set(error, errno, "%s: cannot be locked: %s", path,
					 strerror(errno));
		now_ns = clock_monotonic_ns();
		if (now_ns >= until_ns)
			break;
		if (until_ns - now_ns < (uint64_t)slice.tv_nsec)
			slice.tv_nsec = (long)(until_ns - now_ns);
		(void)nanosleep(&slice, NULL);
	}
	find_holder(fd, holder, sizeof(holder));
	return error_set(error, EBUSY, "%s: held by %s for longer than %u ms", path, holder,
			 wait_ms);
}
