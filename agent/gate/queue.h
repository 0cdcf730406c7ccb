/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_QUEUE_H
#define GATE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * The kernel's queues of held packets and its log of refused ones (linux/netfilter/
 * nfnetlink_queue.h, nfnetlink_log.h), over netlink sockets that another process may read
 * (queue_message.h). What does not fit into the queue or into its socket the kernel drops.
 *
 * Segments that wait for segmentation offload are cut to their final size before they are queued,
 * each with its own number and complete checksums: a verdict is about one segment, and its bytes
 * are what the network will see.
 */

/* A socket bound to queues first to first + count - 1, whole packets (NFQNL_COPY_PACKET), at most
 * `length` in each. Never fail-open. -EBUSY: somebody else reads one of them; -EPERM: it takes
 * CAP_NET_ADMIN; -EOPNOTSUPP: the kernel lacks CONFIG_NETFILTER_NETLINK_QUEUE. */
int queue_open(uint16_t first, uint16_t count, uint32_t length, int *ret_fd, struct error *error);

/* A socket on which refused packets come, their first 256 bytes. The same errors, with
 * CONFIG_NETFILTER_NETLINK_LOG. */
int queue_open_log(uint16_t group, int *ret_fd, struct error *error);

enum queue_verdict { QUEUE_DROP, QUEUE_ACCEPT, QUEUE_REPEAT };

/* Answers for one packet; the replacement, if there is one, goes on in its place (whole, from the
 * IP header on, checksums right). mark: set on it, where not NULL. Does not wait for the kernel's
 * acknowledgement. Needs CAP_NET_ADMIN. 0 or negative errno (-ENOENT never: a packet that is gone
 * is no error). */
int queue_answer(int fd, uint16_t queue_number, uint32_t packet, enum queue_verdict verdict,
		 const uint32_t *mark, const void *replacement, size_t replacement_size);

/* Drops everything that waits in a queue: whoever was to report it is gone. */
int queue_drop_all(int fd, uint16_t queue_number);

/* Packets that were dropped because the socket was full; 0 before Linux 4.12. */
uint32_t queue_lost(int fd);

#endif
