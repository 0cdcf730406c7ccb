/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_HOST_CONNECTIONS_H
#define GATE_HOST_CONNECTIONS_H

#include "gate/connection_table.h"

/* More than this are left to their next packets. */
#define HOST_CONNECTIONS_MAX 16384

/*
 * The TCP connections that sockets of this host hold, as they were opened: by the peer where a
 * listener has the local port, else from here. Without those of the loopback network. The caller
 * frees the list. Returns 0 or negative errno: -EPROTONOSUPPORT or -ENOENT, the kernel has no
 * CONFIG_INET_DIAG.
 */
int host_connections_list(struct tracked_connection **ret_connections, size_t *ret_count);

#endif
