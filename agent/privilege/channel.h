/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PRIVILEGE_CHANNEL_H
#define PRIVILEGE_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * How the supervisor and a worker speak: messages over a SOCK_SEQPACKET pair, each a batch of
 * records of one fixed size. A message of any other length is an error, never a partial record.
 * What the records say is checked by whoever reads them.
 */

/* Both ends are close-on-exec and blocking. Returns 0 or negative errno. */
int channel_pair(int ret_ends[2]);

/* The supervisor's way to send: never raises SIGPIPE. passed_fd goes along when it is not negative.
 * Returns 0 or negative errno (-EPIPE: the other end is gone). */
int channel_send(int channel, const void *records, size_t record_size, size_t count, int passed_fd);

/* The same without waiting: -EAGAIN when the other end has not taken what was sent before. */
int channel_offer(int channel, const void *records, size_t record_size, size_t count,
		  int passed_fd);

/* A worker's way to send: plain write(2), which is the one call that the worker's filter can tie to
 * this descriptor on every architecture. Returns 0 or negative errno. */
int channel_write(int channel, const void *records, size_t record_size, size_t count);

/*
 * Takes one message of at most limit records. Returns how many there were, 0 when the other end is
 * gone, -EAGAIN when nothing is there and wait is false, -EBADMSG for a message that is not a whole
 * number of records, is longer, or carries a descriptor that nobody asked for.
 * ret_passed_fd: NULL takes no descriptors (the kernel then never installs them); else it is set to
 * the descriptor that came along (close-on-exec, the caller's) or -1.
 */
int channel_receive(int channel, void *records, size_t record_size, size_t limit, bool wait,
		    int *ret_passed_fd);

#endif
