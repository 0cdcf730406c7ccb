/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_SOCKET_LISTENERS_H
#define OBSERVE_HOST_SOCKET_LISTENERS_H

#include "observe/host/socket_holder.h"
#include "observe/host/socket_record.h"
#include "observe/observation.h"

/*
 * The listening sockets that are known, and what was said about them. Used in rounds: every socket
 * that is there is added, then the round is ended, which finds the programs and delivers
 * OBSERVATION_LISTENER: once for each distinct protocol, address, port and program, again when the
 * program becomes known, and then once a minute while it lives.
 */
struct socket_listeners;

struct socket_listeners_config {
	struct socket_holder *holder;
	bool v6_only_default; /* net.ipv6.bindv6only, for sockets that do not tell */
	observation_fn deliver;
	void *context;
};

/* Returns 0 or -ENOMEM. */
int socket_listeners_new(const struct socket_listeners_config *config,
			 struct socket_listeners **ret_listeners);
void socket_listeners_free(struct socket_listeners *listeners);

/* A listener that is there now. Returns 0 or -ENOMEM. */
int socket_listeners_add(struct socket_listeners *listeners, const struct socket_record *record,
			 uint64_t now_ns);

/* A listener that was closed; delivered, without a program, if no round saw it. */
int socket_listeners_closed(struct socket_listeners *listeners, const struct socket_record *record,
			    uint64_t now_ns);

/* Ends the round of these protocols (null-terminated): what was not added since the last one is
 * gone. now_ns: CLOCK_MONOTONIC, as everywhere here. Returns 0 or -ENOMEM. */
int socket_listeners_end_round(struct socket_listeners *listeners, const uint8_t *protocols,
			       uint64_t now_ns);

#endif
