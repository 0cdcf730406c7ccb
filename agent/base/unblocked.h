/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_UNBLOCKED_H
#define BASE_UNBLOCKED_H

#include <stddef.h>
#include <sys/types.h>

/*
 * A way to standard output or error, a pipe, a terminal or a socket, that never waits for whoever
 * reads there. What finds no room is lost. The descriptor's other holders notice nothing:
 * O_NONBLOCK is not set on what they share.
 */

/* Returns a descriptor of the caller's own, or negative errno. Opens the pipe or terminal anew. */
int unblocked_open(int fd);

/* Returns how many bytes were taken, or negative errno; -EAGAIN: no room. */
ssize_t unblocked_write(int fd, const void *bytes, size_t size);

#endif
