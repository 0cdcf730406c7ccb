/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_SOCKET_SCAN_H
#define OBSERVE_HOST_SOCKET_SCAN_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What /proc tells about one process, for whoever looks for the holder of a socket. */

/* Called for each socket among a process's descriptors; the same one may come twice. */
typedef void (*socket_inode_fn)(void *context, uint32_t inode);

/* Returns 0 or negative errno: -ENOENT when the process has ended, -EACCES. */
int socket_scan_process(pid_t pid, socket_inode_fn found, void *context);

/* All processes, the youngest first as far as their numbers tell, at most limit of them, in *pids,
 * which grows as needed (*capacity items). Returns how many, or negative errno. */
ssize_t socket_scan_processes(pid_t **pids, size_t *capacity, size_t limit);

/* The parent's pid; 0 when there is none or the process has ended. */
pid_t socket_scan_parent(pid_t pid);

/* What the process executes, without the " (deleted)" that the kernel adds. Returns 0, -ENOENT when
 * the process has ended (or is a kernel thread), or another negative errno. */
int socket_scan_program(pid_t pid, char path[PATH_MAX]);

#endif
