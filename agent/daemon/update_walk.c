/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/update_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "base/text.h"
#include "observe/host/mount_table.h"

#define DEPTH_LIMIT 128 /* one descriptor each */
#define MOUNT_LIMIT 65536

static const char *const left_out[] = {
	/* what package managers keep for themselves: maintainer scripts run while installing only
	 */
	"/var/lib/dpkg",
	"/var/lib/apt",
	"/var/lib/opkg",
	"/usr/lib/opkg",
	"/var/lib/rpm",
	"/usr/lib/sysimage",
	"/lib/apk",
	"/usr/lib/apk",
	"/var/cache",
	"/var/backups",
	/* what is there for the moment */
	"/tmp",
	"/var/tmp",
	"/run",
	"/var/run",
	"/dev",
	"/proc",
	"/sys",
	/* what users and services write */
	"/home",
	"/root",
	"/var/log",
	"/var/spool",
	"/var/mail",
	/* what nobody runs */
	"/usr/share/doc",
	"/usr/src",
	"/boot",
	"/lost+found",
};

bool update_is_left_out(const char *directory)
{
	for (size_t i = 0; i < array_length(left_out); i++) {
		size_t length = strlen(left_out[i]);

		if (strncmp(directory, left_out[i], length) == 0 &&
		    (directory[length] == '/' || directory[length] == '\0'))
			return true;
	}
	return false;
}

bool update_is_passing_name(const char *name)
{
	static const char *const endings[] = {".dpkg-new",  ".dpkg-tmp",    ".dpkg-old",
					      ".dpkg-dist", ".rpmsave",	    ".rpmnew",
					      ".apk-new",   "-opkg.backup", "-opkg"};
	size_t length = strlen(name);

	for (size_t i = 0; i < array_length(endings); i++) {
		size_t ending = strlen(endings[i]);

		if (length > ending && strcmp(name + length - ending, endings[i]) == 0)
			return true;
	}
	return false;
}

struct timespec update_clock(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return now;
}

bool update_is_since(const struct stat *status, const struct timespec *since)
{
	const struct timespec *changed = &status->st_ctim;

	if (changed->tv_nsec == 0) /* fs/fat: even seconds */
		return changed->tv_sec >= (since->tv_sec & ~(time_t)1);
	if (changed->tv_sec != since->tv_sec)
		return changed->tv_sec > since->tv_sec;
	return changed->tv_nsec >= since->tv_nsec;
}

struct mounts {
	struct map *places; /* directory → whether to look into it */
	const struct update_walk *walk;
	bool broken;
};

static void note_mount(void *context, const struct mount_entry *entry)
{
	struct mounts *mounts = context;
	enum filesystem_keeper keeper = filesystem_keeper(entry->filesystem);
	bool *look = map_add(mounts->places, entry->directory, strlen(entry->directory) + 1);

	if (!look) {
		mounts->broken = true;
		return;
	}
	/* of several over one another the last is the one on top */
	*look = filesystem_holds_programs(entry->filesystem) && keeper == FILESYSTEM_KERNEL &&
		!update_is_left_out(entry->directory);
	if (filesystem_holds_programs(entry->filesystem) && keeper != FILESYSTEM_KERNEL)
		mounts->walk->missed(mounts->walk->context, entry->directory,
				     keeper == FILESYSTEM_NETWORK ? "a network filesystem"
								  : "a FUSE filesystem");
}

static void closedirp(DIR **directory)
{
	if (*directory)
		(void)closedir(*directory);
}

/* path: of the directory, without a slash at its end; "" is the root. Grows and shrinks with what
 * is visited. */
struct place {
	char path[PATH_MAX];
	size_t length;
};

static int walk_directory(struct mounts *mounts, int fd, struct place *place, int depth);

static int visit_directory(struct mounts *mounts, int parent, const char *name, struct place *place,
			   int depth)
{
	_cleanup_(closep) int fd = -1;

	if (update_is_left_out(place->path) ||
	    map_peek(mounts->places, place->path, place->length + 1))
		return 0;
	if (depth == DEPTH_LIMIT) {
		mounts->walk->missed(mounts->walk->context, place->path, "nested too deep");
		return 0;
	}
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		if (errno != ENOENT)
			mounts->walk->missed(mounts->walk->context, place->path, strerror(errno));
		return 0;
	}
	return walk_directory(mounts, take_fd(&fd), place, depth + 1);
}

static int visit(struct mounts *mounts, int parent, const char *name, struct place *place,
		 int depth)
{
	const struct update_walk *walk = mounts->walk;
	size_t before = place->length;
	struct stat status;
	int result = 0;

	if (place->length + 1 + strlen(name) >= sizeof(place->path)) {
		walk->missed(walk->context, place->path, "paths too long");
		return 0;
	}
	place->length += (size_t)snprintf(place->path + place->length,
					  sizeof(place->path) - place->length, "/%s", name);
	if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0) {
		if (S_ISDIR(status.st_mode))
			result = visit_directory(mounts, parent, name, place, depth);
		else if (S_ISREG(status.st_mode) && update_is_since(&status, &walk->since) &&
			 !update_is_passing_name(name))
			result = walk->found(walk->context, place->path, &status);
	}
	place->length = before;
	place->path[before] = '\0';
	return result;
}

/* Takes the descriptor. */
static int walk_directory(struct mounts *mounts, int fd, struct place *place, int depth)
{
	_cleanup_(closedirp) DIR *directory = fdopendir(fd);
	const struct dirent *entry;
	int result = 0;

	if (!directory) {
		result = -errno;
		(void)close(fd);
		return result;
	}
	while (result == 0 && (errno = 0, entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		result = visit(mounts, dirfd(directory), entry->d_name, place, depth);
	}
	if (result == 0 && errno)
		mounts->walk->missed(mounts->walk->context, place->path, strerror(errno));
	return result;
}

static int walk_mount(struct mounts *mounts, const char *directory)
{
	_cleanup_(closep) int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct place place = {0};

	if (fd < 0) {
		/* below another mount: nobody reaches it */
		if (errno != ENOENT && errno != ENOTDIR)
			mounts->walk->missed(mounts->walk->context, directory, strerror(errno));
		return 0;
	}
	if (strcmp(directory, "/") != 0)
		place.length = (size_t)snprintf(place.path, sizeof(place.path), "%s", directory);
	if (place.length >= sizeof(place.path))
		return 0;
	return walk_directory(mounts, take_fd(&fd), &place, 0);
}

int update_walk(const struct update_walk *walk, struct error *error)
{
	struct mounts mounts = {.walk = walk};
	int result = map_new(&mounts.places, MOUNT_LIMIT, sizeof(bool), NULL, NULL);

	if (result < 0)
		return error_set(error, -result, "out of memory");
	result = mount_table_walk(0, note_mount, &mounts);
	if (result == 0 && mounts.broken)
		result = -ENOMEM;
	for (bool *look = map_next(mounts.places, NULL); result == 0 && look;
	     look = map_next(mounts.places, look)) {
		size_t size;

		if (*look)
			result = walk_mount(&mounts, map_key(look, &size));
	}
	map_free(mounts.places);
	if (result < 0 && !(error && error->code))
		return error_set(error, -result, "looking for what changed: %s", strerror(-result));
	return result;
}
