/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/kernel_cache.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/file_hash.h"

/* linux/fanotify.h since 5.19 */
#ifndef FAN_MARK_EVICTABLE
#define FAN_MARK_EVICTABLE 0x00000200
#endif

void kernel_cache_init(struct kernel_cache *cache, int fanotify, enum guard_mode mode)
{
	*cache = (struct kernel_cache){
		.fanotify = fanotify,
		.open_bit = mode == GUARD_AUDIT ? FAN_OPEN : FAN_OPEN_PERM,
		.exec_bit = mode == GUARD_AUDIT ? FAN_OPEN_EXEC : FAN_OPEN_EXEC_PERM,
	};
}

/* What every dynamic program opens in its new identity before main: glibc's and musl's loaders. */
static bool is_check_point(int fd)
{
	static const char *const patterns[] = {"*/etc/ld.so.cache", "*/etc/ld-musl-*.path"};
	char link[32];
	char path[512];
	ssize_t length;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length <= 0)
		return true; /* cannot be told */
	path[length] = '\0';
	for (size_t i = 0; i < array_length(patterns); i++)
		if (fnmatch(patterns[i], path, 0) == 0)
			return true;
	return false;
}

static int add(struct kernel_cache *cache, int fd, unsigned int flags, uint64_t mask)
{
	int result = -EINVAL;

	flags |= FAN_MARK_ADD;
	if (!cache->without_evictable) {
		result = fanotify_mark(cache->fanotify, flags | FAN_MARK_EVICTABLE, mask, fd, NULL);
		result = result < 0 ? -errno : 0;
	}
	/* -EEXIST: the mark is there and not evictable */
	if (result == -EINVAL || result == -EEXIST) {
		bool older = result == -EINVAL;

		result = fanotify_mark(cache->fanotify, flags, mask, fd, NULL);
		result = result < 0 ? -errno : 0;
		if (result == 0 && older)
			cache->without_evictable = true;
	}
	return result;
}

bool kernel_cache_mark(struct kernel_cache *cache, int fd, const struct file_key *key,
		       unsigned int marks)
{
	uint64_t mask = (marks & KERNEL_MARK_OPEN ? cache->open_bit : 0) |
			(marks & KERNEL_MARK_EXEC ? cache->exec_bit : 0);
	bool marked = false;
	struct stat status;
	struct file_key now;

	if (!mask || is_check_point(fd) || !file_hold(fd))
		return false;
	if (fstat(fd, &status) == 0) {
		now = file_key_of(&status);
		if (file_key_equal(&now, key) && add(cache, fd, 0, FAN_CLOSE_WRITE) == 0)
			marked = add(cache, fd, FAN_MARK_IGNORED_MASK, mask) == 0;
	}
	file_release(fd);
	return marked;
}

void kernel_cache_unmark(struct kernel_cache *cache, int fd)
{
	(void)fanotify_mark(cache->fanotify, FAN_MARK_REMOVE | FAN_MARK_IGNORED_MASK,
			    cache->open_bit | cache->exec_bit, fd, NULL);
}
