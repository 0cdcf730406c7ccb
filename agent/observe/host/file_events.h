/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_FILE_EVENTS_H
#define OBSERVE_HOST_FILE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop/loop.h"

/*
 * One fanotify notification group (fanotify(7)): nobody waits for us. Its queue is not limited, so
 * what is not read yet waits in the kernel; each event brings an open descriptor of the file.
 */
struct file_events;

enum file_events_kind {
	FILE_EVENTS_EXEC, /* FAN_OPEN_EXEC on all filesystems that hold programs, new mounts too */
	FILE_EVENTS_OPEN, /* FAN_OPEN there, and FAN_OPEN_EXEC in the same queue */
};

/* The descriptor becomes the callee's. mask: FAN_OPEN, FAN_OPEN_EXEC, or both: equal events of one
 * process that were not read yet are one. */
typedef void (*file_event_fn)(void *context, int fd, pid_t pid, uint64_t mask);

struct file_events_config {
	enum file_events_kind kind;
	file_event_fn deliver;
	/* after events were read and before they are delivered: whatever else the kernel queued
	 * before them can be taken now; may be NULL */
	void (*before)(void *context);
	void (*drained)(void *context); /* after the queue was read to its end; may be NULL */
	/* asked before reading: how many descriptors may be delivered now; 0 pauses until
	 * file_events_resume() */
	unsigned int (*room)(void *context);
	void *context;
};

/* Errors: -errno with the reason why the layer is off in *ret_off (a constant string). */
int file_events_new(struct loop *loop, const struct file_events_config *config,
		    struct file_events **ret_events, const char **ret_off);
void file_events_free(struct file_events *events);

/* Reads on until the queue is empty (true) or there is no room (false, paused). */
bool file_events_drain(struct file_events *events);
void file_events_resume(struct file_events *events);

/* Watches the filesystem or mount that a file is on. */
int file_events_watch(struct file_events *events, int fd);

/* No more FAN_OPEN for this file until it is modified. */
int file_events_ignore(struct file_events *events, int fd);

uint64_t file_events_seen(const struct file_events *events);
uint64_t file_events_lost(const struct file_events *events);

#endif
