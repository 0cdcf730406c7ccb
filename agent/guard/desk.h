/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUARD_DESK_H
#define GUARD_DESK_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * What outlives a guard: memory that the supervisor and every guard after another share (a memfd).
 * The guard reads the kernel's events right into it and notes each step there before it takes it,
 * so that whoever comes next goes on where the last one was killed: between any two instructions.
 * Event descriptors outlive it too, because the guard shares the supervisor's descriptor table
 * (CLONE_FILES). Plain words written by one process at a time; the supervisor only reads, unless no
 * guard runs.
 */
#define DESK_BUFFER_SIZE   8192 /* at a time: more than 300 events */
#define DESK_PENDING_LIMIT 1024 /* events whose files are being hashed */

struct desk_pending {
	int32_t fd; /* 0: the place is free (0 is never an event's: standard input stays open) */
	int32_t pid;
	uint64_t mask;
	uint64_t since_ns; /* CLOCK_MONOTONIC */
};

struct desk {
	uint64_t version;	/* of this layout: DESK_VERSION */
	uint64_t beat;		/* grows with every step of the guard: proof of life */
	uint64_t busy_since_ns; /* CLOCK_MONOTONIC; 0: waits for the kernel's next event */
	int32_t guard_pid;	/* who works here; 0: nobody */

	/* The event at the cursor was in work; how often a guard ended at it. From the third time
	 * on it is denied unseen: content that ends guards does not run. */
	int32_t suspect_fd;
	uint32_t suspect_count;

	uint32_t cursor; /* of the first event in the buffer that is not done */
	uint8_t buffer[DESK_BUFFER_SIZE];
	struct desk_pending pending[DESK_PENDING_LIMIT];

	/* counters, since the first guard */
	uint64_t events;
	uint64_t permitted;
	uint64_t denied;
	uint64_t killed;
	uint64_t hashed_files;
	uint64_t hashed_bytes;
	uint64_t cached;	/* ignore marks set */
	uint64_t findings_lost; /* the supervisor did not take them in time */
	uint64_t longest_ns;	/* from reading an event to its answer */
	uint64_t overflows;	/* FAN_Q_OVERFLOW */
};

#define DESK_VERSION 1

/* Makes one, in a memfd. Returns 0 or negative errno. */
int desk_new(int *ret_fd, struct desk **ret_desk);

/* Maps one that another supervisor left. -EBADMSG when it is none of ours. */
int desk_map(int fd, struct desk **ret_desk);
void desk_unmap(struct desk *desk);

/* Where no guard is left and its descriptors are gone too (the supervisor ended with it): answers
 * every event that it had taken, with denial, so that nobody waits for ever. Returns how many. */
size_t desk_settle(struct desk *desk, int fanotify);

#endif
