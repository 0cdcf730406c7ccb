/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_CONNECTION_TABLE_H
#define GATE_CONNECTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"

/* The kernel's connections (conntrack, linux/netfilter/nfnetlink_conntrack.h): those that began
 * before the rules are asked about one by one, and end where the rules would not have let them
 * begin. */
struct tracked_connection {
	struct ip_address source; /* of the first packet, before any translation */
	struct ip_address destination;
	uint8_t protocol;
	uint8_t icmp_type;
	uint16_t source_port; /* TCP, UDP, UDP-Lite, SCTP, DCCP; else 0 */
	uint16_t destination_port;
};

/*
 * Dumps both families and deletes those that keep() refuses: their next packet is judged as a first
 * one. keep() may be asked about one connection several times. Returns how many were deleted, or
 * negative errno: -EOPNOTSUPP, CONFIG_NF_CT_NETLINK is missing; -EBUSY, the kernel would not let go
 * of some that a flowtable offloads, whose packets no rule sees (the others are deleted); -EAGAIN,
 * the table changes faster than it can be read.
 */
typedef bool (*connection_keep_fn)(void *context, const struct tracked_connection *connection);
int connection_table_prune(connection_keep_fn keep, void *context, struct error *error);

/*
 * Puts TCP connections into the table as established ones, whose sides answered each other: those
 * that are older than the table itself, of which no packet would tell who opened them. What is
 * there stays as it is. They last as long as silent connections do by the kernel's default, and
 * packets are not held against sequence numbers that nobody has noted. Returns how many are new, or
 * negative errno with some of them in: -ENOMEM, the table is full; -EOPNOTSUPP.
 */
int connection_table_add(const struct tracked_connection *connections, size_t count,
			 struct error *error);

#endif
