/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_READER_H
#define GATE_READER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "gate/held.h"
#include "privilege/worker.h"

/*
 * The process that reads the queues and the log, as struct held: no capabilities, own user, empty
 * root, system call filter (privilege/worker.h). It receives on sockets that it was handed and
 * cannot answer the kernel: verdicts take CAP_NET_ADMIN, which it does not have.
 */
struct reader_config {
	int queues;	      /* netlink socket bound to all queues of the program (queue.h) */
	int log;	      /* to its log group */
	uint16_t first_queue; /* number of RULE_QUEUE_NAMES; the others follow */
};

/* Starts it. Its records come on worker_channel(), HELD_PER_MESSAGE at most in a message, in the
 * order of the packets; while nobody takes them the log waits first. Nothing needs to be sent to
 * it. What it had read and not told when it ends still waits in the queues (queue_drop_all()). */
int reader_start(const struct reader_config *config, struct worker **ret_reader,
		 struct error *error);

/* One packet, from the IP header on, as records: packet and mark are the caller's to fill in.
 * held: room for HELD_PER_PACKET; returns how many there are, at least 1 (more only of TCP in the
 * names' queue). streams: of TCP DNS, see dns_streams.h. What cannot be taken apart is
 * HELD_UNREADABLE (names' queue), else HELD_FLOW with what is known. For the reader and the fuzz
 * target. */
struct dns_streams;
size_t reader_take_apart(struct dns_streams *streams, uint8_t queue, uint8_t way,
			 const uint8_t *packet, size_t size, struct held held[HELD_PER_PACKET]);

/* The same for a packet of the log, of which there may be only the beginning: one HELD_REFUSED. */
void reader_take_refused(uint8_t way, const uint8_t *packet, size_t size, struct held *ret_held);

#endif
