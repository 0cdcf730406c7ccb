/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/filesystems.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "observe/host/mount_table.h"

#define MOUNT_LIMIT 4096 /* further ones are looked up one by one */
#define LINE_SIZE   4096

struct mount {
	uint64_t id;
	uint64_t device;
	enum filesystem_class class;
};

struct filesystems {
	struct transient *transient;
	int32_t *mounts_fd;
	uint64_t memory_device;
	size_t count;
	struct mount mounts[MOUNT_LIMIT];
	char buffer[2 * LINE_SIZE];
};

/* Times of two seconds, or such as anybody may set: no sign of a change. */
static const char *const coarse[] = {"exfat", "hfs",   "hfsplus", "msdos",
				     "ntfs",  "ntfs3", "udf",	  "vfat"};

/* mm/shmem.c, fs/ramfs: a page that was read first is written to without a fault */
static const char *const memory[] = {"devtmpfs", "ramfs", "tmpfs"};

enum filesystem_class filesystem_class_of(const char *type)
{
	switch (filesystem_keeper(type)) {
	case FILESYSTEM_PROCESS:
		return FILESYSTEM_USER;
	case FILESYSTEM_NETWORK:
		return FILESYSTEM_REMOTE;
	case FILESYSTEM_KERNEL:
		break;
	}
	for (size_t i = 0; i < array_length(coarse); i++)
		if (strcmp(coarse[i], type) == 0)
			return FILESYSTEM_COARSE;
	for (size_t i = 0; i < array_length(memory); i++)
		if (strcmp(memory[i], type) == 0)
			return FILESYSTEM_MEMORY;
	return FILESYSTEM_LOCAL;
}

static bool parse_mount(char *line, struct mount *ret_mount)
{
	struct mount_entry entry;

	if (mount_entry_parse(line, &entry) < 0)
		return false;
	*ret_mount = (struct mount){
		.id = entry.id,
		.device = entry.device,
		.class = filesystem_class_of(entry.filesystem),
	};
	return true;
}

typedef bool (*mount_fn)(struct filesystems *filesystems, void *context, const struct mount *mount);

/* Goes through an open mountinfo until the callback says that it has enough. */
static void each_mount(struct filesystems *filesystems, int fd, mount_fn visit, void *context)
{
	char *buffer = filesystems->buffer;
	size_t held = 0;
	ssize_t got;

	while ((got = read(fd, buffer + held, sizeof(filesystems->buffer) - 1 - held)) > 0) {
		char *line = buffer;
		char *end;

		held += (size_t)got;
		buffer[held] = '\0';
		while ((end = strchr(line, '\n'))) {
			struct mount mount;

			*end = '\0';
			if (parse_mount(line, &mount) && visit(filesystems, context, &mount))
				return;
			line = end + 1;
		}
		held -= (size_t)(line - buffer);
		memmove(buffer, line, held);
		if (held == sizeof(filesystems->buffer) - 1)
			held = 0; /* a line that long is cut: its end is none we understand */
	}
}

static bool keep_mount(struct filesystems *filesystems, void *context, const struct mount *mount)
{
	(void)context;
	filesystems->mounts[filesystems->count++] = *mount;
	return filesystems->count == MOUNT_LIMIT;
}

static void read_mounts(struct filesystems *filesystems)
{
	filesystems->count = 0;
	if (lseek(*filesystems->mounts_fd, 0, SEEK_SET) == 0)
		each_mount(filesystems, *filesystems->mounts_fd, keep_mount, NULL);
}

/* 0 where there are none. */
static uint64_t find_memory_device(struct transient *transient)
{
	int fd = transient_keep(transient, memfd_create("device", MFD_CLOEXEC));
	struct stat status;
	bool found = fd >= 0 && fstat(fd, &status) == 0;

	transient_close(transient, fd);
	return found ? status.st_dev : 0;
}

int filesystems_new(struct transient *transient, int32_t *mounts,
		    struct filesystems **ret_filesystems)
{
	struct filesystems *filesystems = calloc(1, sizeof(*filesystems));

	if (!filesystems)
		return -ENOMEM;
	filesystems->transient = transient;
	filesystems->mounts_fd = mounts;
	filesystems->memory_device = find_memory_device(transient);
	*ret_filesystems = filesystems;
	*mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (*mounts > 0)
		read_mounts(filesystems);
	return 0;
}

void filesystems_free(struct filesystems *filesystems)
{
	if (!filesystems)
		return;
	if (*filesystems->mounts_fd > 0) {
		int fd = *filesystems->mounts_fd;

		*filesystems->mounts_fd = 0;
		(void)close(fd);
	}
	free(filesystems);
}

bool filesystems_refresh(struct filesystems *filesystems)
{
	struct pollfd changed = {.fd = *filesystems->mounts_fd, .events = POLLPRI};

	if (changed.fd <= 0 || poll(&changed, 1, 0) <= 0)
		return false;
	read_mounts(filesystems);
	return true;
}

struct search {
	const struct file_facts *file;
	bool found;
	bool exact;
	enum filesystem_class class;
};

/* A device may differ from its mount's (overlayfs, btrfs), a mount may be another namespace's. */
static bool compare(struct filesystems *filesystems, void *context, const struct mount *mount)
{
	struct search *search = context;

	(void)filesystems;
	search->exact = search->file->mount && mount->id == search->file->mount;
	if (search->exact || mount->device == search->file->key.device) {
		search->found = true;
		search->class = mount->class;
	}
	return search->exact;
}

static struct search find_ours(struct filesystems *filesystems, const struct file_facts *file)
{
	struct search search = {.file = file};

	for (size_t i = 0; i < filesystems->count && !search.exact; i++)
		(void)compare(filesystems, &search, &filesystems->mounts[i]);
	return search;
}

bool filesystems_has(struct filesystems *filesystems, const struct file_facts *file)
{
	return find_ours(filesystems, file).found;
}

bool filesystems_is_memory(const struct filesystems *filesystems, const struct file_facts *file)
{
	return filesystems->memory_device && file->key.device == filesystems->memory_device;
}

enum filesystem_class filesystems_class(struct filesystems *filesystems,
					const struct file_facts *file, pid_t pid)
{
	struct search search = find_ours(filesystems, file);
	char path[64];
	int fd;

	if (search.found)
		return search.class;
	(void)snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	fd = transient_open(filesystems->transient, path, O_RDONLY);
	if (fd >= 0) {
		each_mount(filesystems, fd, compare, &search);
		transient_close(filesystems->transient, fd);
	}
	/* nobody tells when another filesystem gets its device, with times that somebody gave it */
	if (search.found && search.class == FILESYSTEM_LOCAL && major(file->key.device))
		return FILESYSTEM_COARSE;
	/* nobody knows it: nothing is remembered of it */
	return search.found ? search.class : FILESYSTEM_REMOTE;
}
