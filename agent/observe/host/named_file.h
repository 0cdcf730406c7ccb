/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_NAMED_FILE_H
#define OBSERVE_HOST_NAMED_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A file by the name that a process has for it, from its root or working directory. Links that mean
 * something else to every reader are not followed, but those to the process's own descriptors
 * (/dev/fd/3) lead there.
 *
 * within_mount: -EXDEV as soon as the way leads into another mount, whose server need not answer
 * (-EOPNOTSUPP before Linux 5.6). Returns an O_PATH descriptor or negative errno.
 */
int named_file_open(pid_t pid, const char *name, bool within_mount);

/* Whether the name says by itself that it is a stream: "/dev/stdin", "/dev/fd/3", "/dev/tty". */
bool named_file_is_stream(const char *name);

/* Whether it is one of the process's own descriptors: "/dev/fd/3". */
bool named_file_is_descriptor(const char *name, uint64_t *ret_number);

/* Opens what an O_PATH descriptor is for reading, without a trace in its access time. A regular
 * file and nothing else: opening a device or a FIFO can have effects. */
int regular_file_reopen(int place);

#endif
