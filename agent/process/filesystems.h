/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROCESS_FILESYSTEMS_H
#define PROCESS_FILESYSTEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process/transient.h"
#include "program/file_facts.h"

/*
 * How far a filesystem's word goes: whether a file that has the same key still has the same
 * content. From /proc/self/mountinfo, read again whenever the kernel says that it changed; nobody
 * who serves a filesystem is asked.
 */
enum filesystem_class {
	FILESYSTEM_LOCAL,  /* this kernel alone changes it, and its times tell */
	FILESYSTEM_MEMORY, /* the same, but stores through a mapping leave the times as they were */
	FILESYSTEM_COARSE, /* this kernel alone changes it; its times can be set, or are rough */
	FILESYSTEM_REMOTE, /* others change it, too */
	FILESYSTEM_USER,   /* a process answers, each time as it likes (FUSE); may never answer */
};

struct filesystems;

/* mounts: where the number of its one lasting descriptor is noted (0: none), as transient ones are.
 * Returns 0 or -ENOMEM. */
int filesystems_new(struct transient *transient, int32_t *mounts,
		    struct filesystems **ret_filesystems);
void filesystems_free(struct filesystems *filesystems);

/* Looks whether anything was mounted or unmounted: to be called after events were read and before
 * they are judged. The descriptor to poll (POLLPRI) is *mounts. True: whatever was remembered under
 * a device's number may be of another filesystem by now, whose inodes have the times that somebody
 * gave them. */
bool filesystems_refresh(struct filesystems *filesystems);

/* pid: in whose mounts it is looked for when it is in none of ours. */
enum filesystem_class filesystems_class(struct filesystems *filesystems,
					const struct file_facts *file, pid_t pid);

/* Whether it is in one of our own mounts, and not in another mount namespace's alone. */
bool filesystems_has(struct filesystems *filesystems, const struct file_facts *file);

/* Whether it is where memfd_create(2) puts its files, which is mounted nowhere. */
bool filesystems_is_memory(const struct filesystems *filesystems, const struct file_facts *file);

enum filesystem_class filesystem_class_of(const char *type);

#endif
