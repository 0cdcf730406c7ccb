/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_SOCKET_WATCH_H
#define OBSERVE_HOST_SOCKET_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "loop/loop.h"
#include "observe/host/execution_watch.h"
#include "observe/observation.h"

/*
 * The sockets of this host, asked from the kernel with sock_diag (linux/sock_diag.h,
 * linux/inet_diag.h): which wait for peers (OBSERVATION_LISTENER, delivered once for each, again
 * when the program becomes known, and as a sign of life at most once a minute), and who owns a
 * flow. Lost announcements are OBSERVATION_LOSS. docs/listeners.md says what is used and what its
 * limits are.
 */
struct socket_watch;

struct socket_watch_config {
	struct execution_watch *executions; /* names the programs; may be NULL */
	observation_fn deliver;
	void *context;
};

/* Reports what listens already before it returns. Only the network namespace it is called in is
 * watched. A kernel without CONFIG_INET_DIAG is no error: /proc/net is read instead. Errors:
 * -ENOMEM, and what the loop's timers and descriptors may give. */
int socket_watch_new(struct loop *loop, const struct socket_watch_config *config,
		     struct socket_watch **ret_watch, struct error *error);
void socket_watch_free(struct socket_watch *watch);

/* Which program owns the flow's local end, asked now; time_ns: when its first packet was seen
 * (since 1970): a program that came later is no answer. Returns 0 with the path (valid until the
 * loop runs again) or NULL if it could not be known; never a guess: when several different programs
 * hold the socket, NULL. *ret_left_out: it is rtguard's or the excluded session's. */
int socket_watch_owner(struct socket_watch *watch, const struct observed_flow *flow,
		       uint64_t time_ns, const char **ret_program, bool *ret_left_out);

#endif
