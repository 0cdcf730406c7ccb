/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_NETLINK_DUMP_H
#define GATE_NETLINK_DUMP_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

/* Whole tables of the kernel, and requests that it acknowledges. The kernel answers before sending
 * returns, so nothing waits here for long. */

/* A socket of that protocol (NETLINK_ROUTE, …) with nothing on it. Its descriptor or negative
 * errno.
 */
int netlink_open(int protocol);

/* The message is whole and its own length is right; attributes are not checked yet. */
typedef void (*netlink_message_fn)(void *context, struct nlmsghdr *message);

/*
 * Asks for the table with a request of that type, which begins with a fixed header of the protocol.
 * Calls back for every message of the answer. Returns 0 or negative errno: -EINTR, the table
 * changed on the way and something may be missing or told twice; -ENOBUFS, messages were lost;
 * -ETIMEDOUT; or the kernel's answer. After an error the socket may have more to say: it is not to
 * be used again.
 */
int netlink_dump(int fd, uint16_t type, const void *header, size_t header_size,
		 netlink_message_fn each, void *context);

/* Sends requests that stand one behind the other, each with NLM_F_ACK, and takes as many
 * acknowledgements, calling back with 0 or negative errno for each. Returns 0 or negative errno. */
typedef void (*netlink_answer_fn)(void *context, int result);
int netlink_order(int fd, const void *requests, size_t size, size_t count, netlink_answer_fn each,
		  void *context);

#endif
