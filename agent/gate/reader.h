/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_READER_H
#define GATE_READER_H

#include "base/error.h"
#include "gate/held.h"
#include "privilege/worker.h"

/*
 * The process that reads the queues and the log, as struct held: no capabilities, own user, empty
 * root, system call filter (privilege/worker.h). It receives on sockets that it was handed and
 * cannot answer the kernel: verdicts take CAP_NET_ADMIN, which it does not have.
 */
struct reader_config {
	int queues; /* netlink socket bound to all queues of the program (queue.h) */
	int log;    /* to its log group */
};

/* Starts it. Its records come on worker_channel(), HELD_PER_MESSAGE at most in a message. */
int reader_start(const struct reader_config *config, struct worker **ret_reader,
		 struct error *error);

/* One packet, from the IP header on, as a record: packet and mark are the caller's to fill in.
 * streams: of TCP DNS, see dns_streams.h. What cannot be taken apart is HELD_UNREADABLE (names'
 * queue), else HELD_FLOW or HELD_REFUSED with what is known. For the reader and the fuzz target. */
struct dns_streams;
void reader_take_apart(struct dns_streams *streams, uint8_t queue, uint8_t way,
		       const uint8_t *packet, size_t size, uint64_t now_ns, struct held *ret_held);

#endif
