/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/mount_trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "observe/host/mount_table.h"

#define DEVICES_LIMIT 65536

struct mount_trust {
	struct loop_source *source;
	struct map *keepers; /* by device: uint8_t enum filesystem_keeper */
	int mountinfo;
	bool stale;
	uint64_t memory_device; /* where memfd_create() puts its files */
};

struct search {
	uint64_t device;
	bool found;
	enum filesystem_keeper keeper;
};

static void note(void *context, const struct mount_entry *entry)
{
	struct mount_trust *trust = context;
	uint8_t *keeper = map_add(trust->keepers, &entry->device, sizeof(entry->device));

	if (keeper)
		*keeper = (uint8_t)filesystem_keeper(entry->filesystem);
}

static void compare(void *context, const struct mount_entry *entry)
{
	struct search *search = context;

	if (entry->device != search->device)
		return;
	search->found = true;
	search->keeper = filesystem_keeper(entry->filesystem);
}

static void mounts_changed(void *context, int fd, uint32_t ready)
{
	struct mount_trust *trust = context;

	(void)fd;
	(void)ready;
	trust->stale = true;
}

static void refresh(struct mount_trust *trust)
{
	map_clear(trust->keepers);
	trust->stale = mount_table_walk(0, note, trust) < 0;
}

static enum file_source local_source(uint8_t keeper)
{
	static const enum file_source sources[] = {
		[FILESYSTEM_KERNEL] = SOURCE_LOCAL,
		[FILESYSTEM_NETWORK] = SOURCE_NETWORK,
		[FILESYSTEM_PROCESS] = SOURCE_PROCESS,
	};

	return sources[keeper];
}

enum file_source mount_trust_source(struct mount_trust *trust, pid_t pid, uint64_t device)
{
	struct search search = {.device = device};
	const uint8_t *keeper;

	if (device == trust->memory_device)
		return SOURCE_LOCAL;
	if (trust->stale)
		refresh(trust);
	keeper = map_find(trust->keepers, &device, sizeof(device));
	if (keeper)
		return local_source(*keeper);
	(void)mount_table_walk(pid, compare, &search);
	if (search.found && search.keeper == FILESYSTEM_PROCESS)
		return SOURCE_PROCESS;
	return SOURCE_FOREIGN;
}

int mount_trust_new(struct loop *loop, struct mount_trust **ret_trust)
{
	struct mount_trust *trust = calloc(1, sizeof(*trust));
	_cleanup_(closep) int memory = memfd_create("device", MFD_CLOEXEC);
	struct stat status;
	int result;

	if (!trust)
		return -ENOMEM;
	if (memory >= 0 && fstat(memory, &status) == 0)
		trust->memory_device = status.st_dev;
	trust->stale = true;
	trust->mountinfo = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	result = trust->mountinfo < 0
			 ? -errno
			 : map_new(&trust->keepers, DEVICES_LIMIT, sizeof(uint8_t), NULL, NULL);
	if (result == 0)
		result = loop_add_fd(loop, trust->mountinfo, EPOLLPRI | EPOLLERR, mounts_changed,
				     trust, &trust->source);
	if (result < 0) {
		mount_trust_free(trust);
		return result;
	}
	*ret_trust = trust;
	return 0;
}

void mount_trust_free(struct mount_trust *trust)
{
	if (!trust)
		return;
	loop_remove(trust->source);
	if (trust->mountinfo >= 0)
		(void)close(trust->mountinfo);
	map_free(trust->keepers);
	free(trust);
}
