/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_SOCKET_SOURCE_H
#define OBSERVE_HOST_SOCKET_SOURCE_H

#include "observe/host/socket_record.h"

/* Where sockets are asked for: sock_diag, or /proc/net for each protocol that sock_diag does not
 * know on this kernel. */
struct socket_source;

enum socket_source_kind {
	SOCKET_SOURCE_BEST,
	SOCKET_SOURCE_PROC, /* /proc/net alone */
};

/* Returns 0 or -ENOMEM. */
int socket_source_new(enum socket_source_kind kind, struct socket_source **ret_source);
void socket_source_free(struct socket_source *source);

/* Every socket of the protocol (TCP, UDP, UDP-Lite, SCTP) that may be a listener, others perhaps
 * too. Returns 0, -ENOENT (the kernel has no such protocol) or another negative errno. */
int socket_source_waiting(struct socket_source *source, uint8_t protocol, socket_record_fn found,
			  void *context);

/* The connected socket between local and remote, or one that is not connected and would receive
 * what remote sends there. Returns 0, -ENOENT or another negative errno. */
int socket_source_exact(struct socket_source *source, uint8_t protocol,
			const struct ip_address *local, uint16_t local_port,
			const struct ip_address *remote, uint16_t remote_port,
			struct socket_record *ret_record);

/* Whether TCP or UDP come from /proc/net, where looking is dear: no index, all sockets are listed.
 */
bool socket_source_is_slow(const struct socket_source *source);

#endif
