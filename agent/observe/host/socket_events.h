/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_SOCKET_EVENTS_H
#define OBSERVE_HOST_SOCKET_EVENTS_H

#include <linux/filter.h>

#include "loop/loop.h"
#include "observe/host/socket_ports.h"
#include "observe/host/socket_record.h"

/*
 * UDP sockets that were closed and were never connected, as the kernel announces them
 * (SKNLGRP_INET_UDP_DESTROY and its IPv6 twin in linux/sock_diag.h). A filter in the kernel drops
 * what was a client, so that a busy host wakes nobody.
 */
struct socket_events;

struct socket_events_config {
	void (*closed)(void *context, const struct socket_record *record);
	void (*lost)(void *context); /* the kernel's queue ran over */
	void *context;
};

/* Returns 0 or negative errno: -EPERM, -EPROTONOSUPPORT, -ENOMEM. */
int socket_events_new(struct loop *loop, const struct socket_ports *ports,
		      const struct socket_events_config *config, struct socket_events **ret_events);
void socket_events_free(struct socket_events *events);

/* Handles what is queued. Also called by the loop. */
void socket_events_read(struct socket_events *events);

/* The filter: passes a message (netlink header included) of a socket without a remote port whose
 * local port lies outside the clients' range. */
#define SOCKET_EVENTS_FILTER_SIZE 8
void socket_events_filter(const struct socket_ports *ports,
			  struct sock_filter filter[SOCKET_EVENTS_FILTER_SIZE]);

#endif
