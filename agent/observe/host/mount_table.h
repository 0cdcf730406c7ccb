/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_MOUNT_TABLE_H
#define OBSERVE_HOST_MOUNT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* One line of /proc/self/mountinfo (proc(5)). Both strings lie in the caller's line. */
struct mount_entry {
	const char *directory; /* octal escapes resolved */
	const char *filesystem;
};

/* Takes one line apart in place. Returns 0 or -EBADMSG. */
int mount_entry_parse(char *line, struct mount_entry *ret_entry);

/* Whether programs and libraries can lie on such a filesystem. No: views of the kernel, device
 * nodes (opening them can have effects), and automount points (looking at them mounts). */
bool filesystem_holds_programs(const char *filesystem);

/* Calls back for each mount that can hold programs. Returns 0 or negative errno. */
typedef void (*mount_entry_fn)(void *context, const char *directory);
int mount_table_walk(mount_entry_fn visit, void *context);

#endif
