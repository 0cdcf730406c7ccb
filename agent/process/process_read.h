/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROCESS_PROCESS_READ_H
#define PROCESS_PROCESS_READ_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "observe/host/process_info.h"
#include "process/transient.h"

/*
 * What /proc says of a process, read without allocating and through descriptors that are noted.
 * Nothing here waits for the process or for a filesystem: /proc/PID/stat and the links take no lock
 * that an exec in progress holds. All return negative errno.
 */

/* "/proc/PID/name", cut at the size: done for each event, and so without printf. */
#define PROCESS_PATH_SIZE 64
void process_path(char path[PROCESS_PATH_SIZE], pid_t pid, const char *name);

/* At most size - 1 bytes, NUL-terminated. Returns the length. */
ssize_t process_read(struct transient *transient, pid_t pid, const char *name, char *bytes,
		     size_t size);

int process_read_stat(struct transient *transient, pid_t pid, struct process_stat *ret_stat);

/* Its effective user; UINT32_MAX when that cannot be said. */
uint32_t process_read_user(struct transient *transient, pid_t pid);

/* Where a link of /proc/PID leads, without " (deleted)"; "" when it cannot be known. A file that
 * really is called so is shown without it, too: looking would ask its filesystem. */
void process_read_link(pid_t pid, const char *name, char *path, size_t size);

#endif
