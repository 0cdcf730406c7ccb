/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_MOUNT_TABLE_H
#define OBSERVE_HOST_MOUNT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One line of /proc/PID/mountinfo (proc(5)). Both strings lie in the caller's line. */
struct mount_entry {
	uint64_t id;
	uint64_t device;       /* st_dev of the superblock; files on btrfs and overlayfs may tell
				  others */
	const char *directory; /* octal escapes resolved */
	const char *filesystem;
};

/* Takes one line apart in place. Returns 0 or -EBADMSG. */
int mount_entry_parse(char *line, struct mount_entry *ret_entry);

/* Whether programs and libraries can lie on such a filesystem. No: views of the kernel, device
 * nodes (opening them can have effects), and automount points (looking at them mounts). */
bool filesystem_holds_programs(const char *filesystem);

/* Whether regular files, and so programs, can lie there beside device nodes: what may be asked
 * about execs, and not about opens. */
bool filesystem_holds_devices(const char *filesystem);

/* Who answers for what is read from it. */
enum filesystem_keeper {
	FILESYSTEM_KERNEL,  /* this one: times and content hold */
	FILESYSTEM_NETWORK, /* another machine: content may change without a trace, and may take
			       for ever */
	FILESYSTEM_PROCESS, /* FUSE: any program, which can answer each read differently, or never
			     */
};
enum filesystem_keeper filesystem_keeper(const char *filesystem);

/* The same by statfs(2)'s f_type. */
enum filesystem_keeper filesystem_keeper_of_magic(unsigned long magic);

/* Calls back for each mount that the process sees (0: this one), whatever it holds. Returns 0 or
 * negative errno. */
typedef void (*mount_entry_fn)(void *context, const struct mount_entry *entry);
int mount_table_walk(pid_t pid, mount_entry_fn visit, void *context);

#endif
