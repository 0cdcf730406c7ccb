/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_QUEUE_MESSAGE_H
#define GATE_QUEUE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the kernel says over the sockets of queue.h. Needs no privileges. */

/* One packet of a queue or of the log. It points into the datagram. */
struct queue_message {
	bool logged;	 /* from the log: queue and packet are 0 */
	uint16_t queue;	 /* number */
	uint32_t packet; /* its number there */
	uint8_t hook;	 /* enum nf_inet_hooks */
	uint32_t mark;
	const char *prefix;   /* of the log; "" where there is none */
	const uint8_t *bytes; /* from the IP header on */
	size_t size;
};

/* A datagram that holds the largest packet, and what is said about it. */
#define QUEUE_DATAGRAM_SIZE (80 * 1024)

/* Calls back for each packet of a datagram; what else it holds, or cannot be read, is left out. */
typedef void (*queue_message_fn)(void *context, const struct queue_message *message);
void queue_message_each(const void *datagram, size_t size, queue_message_fn each, void *context);

#endif
