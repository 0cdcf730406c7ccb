/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_SOCKET_PROC_H
#define OBSERVE_HOST_SOCKET_PROC_H

#include "observe/host/socket_record.h"

/*
 * The sockets of this network namespace as /proc/net lists them: for kernels without sock_diag for
 * a protocol, and for the protocols that it never covers (ICMP and raw sockets).
 */

/* What can be listed. */
enum socket_proc_table {
	SOCKET_PROC_TCP,
	SOCKET_PROC_UDP,
	SOCKET_PROC_UDPLITE,
	SOCKET_PROC_SCTP,
	SOCKET_PROC_PING, /* local_port is the identifier; net/ipv4/ping.c */
	SOCKET_PROC_RAW,  /* local_port is the protocol number; net/ipv4/raw.c */
};

/* Every socket of the table, IPv4 and IPv6, at most a million lines. /proc/net never tells v6_only:
 * v6_only_known stays false. Returns 0 or -ENOENT (the kernel has no such table). */
int socket_proc_read(enum socket_proc_table table, socket_record_fn found, void *context);

#endif
