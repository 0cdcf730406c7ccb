/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_SOCKET_QUERY_H
#define OBSERVE_HOST_SOCKET_QUERY_H

#include "observe/host/socket_record.h"

/*
 * Questions to the kernel's sock_diag (linux/sock_diag.h), answered at once. Only the sockets of
 * the network namespace that the query was made in.
 */
struct socket_query;

/* Returns 0, -ENOMEM or -EPROTONOSUPPORT (no sock_diag at all). */
int socket_query_new(struct socket_query **ret_query);
void socket_query_free(struct socket_query *query);

/* Every socket of the protocol that may be a listener: TCP and SCTP that listen, others that are
 * not connected. IPv4 and IPv6. Returns 0, -ENOENT (the kernel can't tell for this protocol), or
 * another negative errno. */
int socket_query_waiting(struct socket_query *query, uint8_t protocol, socket_record_fn found,
			 void *context);

/* Every TCP socket over which data may still come or go: connected, and closed from one side at the
 * most. IPv4 and IPv6. Returns 0 or negative errno as above. */
int socket_query_connected(struct socket_query *query, socket_record_fn found, void *context);

/* The one socket that would receive a packet from remote to local, by the kernel's own lookup: the
 * connected one, else one that waits there. TCP, UDP, UDP-Lite and SCTP. Returns 0, -ENOENT (none,
 * or the kernel can't tell), or another negative errno. */
int socket_query_exact(struct socket_query *query, uint8_t protocol, const struct ip_address *local,
		       uint16_t local_port, const struct ip_address *remote, uint16_t remote_port,
		       struct socket_record *ret_record);

#endif
