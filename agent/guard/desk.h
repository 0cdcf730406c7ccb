/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUARD_DESK_H
#define GUARD_DESK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "process/file_hash.h"
#include "process/transient.h"
#include "program/file_key.h"

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
#define DESK_EXAMINATIONS  8	/* files that a helper reads, at a time */

struct desk_pending {
	int32_t fd; /* 0: the place is free (0 is never an event's: standard input stays open) */
	int32_t pid;
	uint64_t mask;
	uint64_t since_ns; /* CLOCK_MONOTONIC */
	/* of two states one is whole, so that a guard that ends within a slice loses that slice */
	uint32_t hash_current;
	struct file_hash hash[2];
};

enum desk_examination_state {
	EXAMINATION_FREE,
	EXAMINATION_RUNNING,
	EXAMINATION_DONE,
};

/* A file that no event brought, read by a forked helper, which writes the result here. */
struct desk_examination {
	uint32_t state;
	int32_t helper; /* its pid: whose opens the guard permits */
	int32_t pid;	/* whose program or script it is */
	uint32_t why;	/* enum finding_kind, when it could not be hashed */
	uint64_t since_ns;
	uint8_t absent;	 /* no such file, or no regular one */
	uint8_t hashed;	 /* sha256 holds */
	uint8_t settled; /* the checksum holds as long as the key does */
	uint8_t nature;	 /* enum file_nature */
	uint8_t sha256[32];
	uint64_t mount; /* of struct file_facts */
	struct file_key key;
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

	uint32_t cursor;  /* of the first event in the buffer that is not done */
	uint64_t read_ns; /* when the buffer was filled, CLOCK_MONOTONIC */
	uint8_t buffer[DESK_BUFFER_SIZE] __attribute__((aligned(8)));
	struct desk_pending pending[DESK_PENDING_LIMIT];
	struct desk_examination examinations[DESK_EXAMINATIONS];

	/* The guard's own descriptors in the shared table; the next one closes what is left. */
	struct transient transient;
	int32_t mounts; /* /proc/self/mountinfo */

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
	uint64_t unread;	/* events that the kernel could open no descriptor for: denied */
	uint64_t unseen;	/* denied because guards ended at them */
	uint64_t examined;	/* files that a helper read */
};

#define DESK_VERSION 1

/* Makes one, in a memfd. Returns 0 or negative errno. */
int desk_new(int *ret_fd, struct desk **ret_desk);

/* Maps one that another supervisor left. -EBADMSG when it is none of ours. */
int desk_map(int fd, struct desk **ret_desk);
void desk_unmap(struct desk *desk);

/* The event at the cursor, NULL when all are done. Whatever the buffer holds, the event lies in it
 * as a whole. */
struct fanotify_event_metadata;
const struct fanotify_event_metadata *desk_event(const struct desk *desk);

/* It is done: steps on to the next. */
void desk_step(struct desk *desk);

/* Keeps the event at the cursor for later, and steps on. NULL when there is no place. */
struct desk_pending *desk_defer(struct desk *desk);

/* Reads what the kernel has into the buffer, all of which is done. Returns the bytes, 0 when
 * nothing is there, or negative errno: an event was lost (permission events are then denied). */
ssize_t desk_fill(struct desk *desk, int fanotify);

/* What a guard that was killed left open or half done. To be called by the one that follows. */
void desk_take_over(struct desk *desk);

/* Where no guard is left and its descriptors are gone too (the supervisor ended with it): answers
 * every event that it had taken, with denial, so that nobody waits for ever. Returns how many. */
size_t desk_settle(struct desk *desk, int fanotify);

#endif
