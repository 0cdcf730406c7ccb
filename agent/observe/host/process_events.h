/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_PROCESS_EVENTS_H
#define OBSERVE_HOST_PROCESS_EVENTS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop/loop.h"

/*
 * The kernel's process connector (linux/cn_proc.h): forks, execs, changes of user and exits of
 * whole processes, as they happen. Threads are filtered out in the kernel.
 */
enum process_event_kind {
	PROCESS_EVENT_FORK,
	PROCESS_EVENT_EXEC,
	PROCESS_EVENT_USER,
	PROCESS_EVENT_EXIT,
	PROCESS_EVENT_OTHER, /* nothing of ours: acknowledgements, threads */
};

struct process_event {
	enum process_event_kind kind;
	pid_t pid;	  /* FORK: the child */
	pid_t parent;	  /* FORK */
	uint32_t user;	  /* USER: effective */
	uint64_t time_ns; /* CLOCK_MONOTONIC */
};

/* One netlink datagram from the connector. Calls back for each message in it. Returns 0, or
 * -EBADMSG when a length in it does not hold (what came before was delivered). */
typedef void (*process_event_fn)(void *context, const struct process_event *event);
int process_events_parse(const void *bytes, size_t size, process_event_fn deliver, void *context);

struct process_events;

/* after: called when the loop has read what was queued, not by process_events_drain(). Errors:
 * -errno with the reason why the layer is off in *ret_off (a constant string). */
int process_events_new(struct loop *loop, process_event_fn deliver, void (*after)(void *context),
		       void *context, struct process_events **ret_events, const char **ret_off);
void process_events_free(struct process_events *events);

/* Takes everything that is queued. */
void process_events_drain(struct process_events *events);

uint64_t process_events_seen(const struct process_events *events);

/* Events that did not fit into the socket's buffer. */
uint64_t process_events_lost(const struct process_events *events);

#endif
