/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_PROCESS_TABLE_H
#define OBSERVE_HOST_PROCESS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "observe/host/label.h"

/*
 * Who is whose child and runs what. A process that ended is kept for some seconds, because what is
 * known of it from elsewhere (file events, packets) comes later than its end.
 *
 * Files (fanotify) and process events (connector) come through different queues. Each exec of a
 * process makes a new image; images counts those announced, unmatched those of them whose file is
 * not known yet. The files come in the order of the images, so the n-th file belongs to the n-th
 * image.
 */
enum process_flags {
	PROCESS_OWN = 1 << 0,	  /* this program or a child of it */
	PROCESS_SESSION = 1 << 1, /* of the login session that is left out */
	PROCESS_KERNEL = 1 << 2,  /* a kernel thread */
	PROCESS_ENDED = 1 << 3,
	PROCESS_PARENT_LATE = 1 << 4, /* parent's program was not known at the fork: look it up */
	PROCESS_MATCHED = 1 << 5,     /* program is its own, not inherited by fork */
	PROCESS_FRESH = 1 << 6,	      /* found by the sweep that is going on */
};

/* (uid_t)-1 is nobody's: setresuid(2) */
#define PROCESS_USER_UNKNOWN UINT32_MAX

/* The latest images whose users are kept. */
#define PROCESS_IMAGES_KEPT 4

struct process {
	int32_t pid;
	int32_t parent_pid;
	int32_t session; /* POSIX session id; 0 when only events told of it */
	uint32_t user;	 /* effective, now */
	uint32_t
		image_users[PROCESS_IMAGES_KEPT]; /* when image n began, at n modulo their number */
	uint16_t images;
	uint16_t unmatched;
	uint16_t parent_images; /* the parent's count at the fork */
	uint16_t flags;
	uint32_t generation; /* of the last sweep that saw it */
	uint32_t next;	     /* table's own links */
	uint32_t newer;
	uint32_t older;
	uint64_t started_ns; /* CLOCK_BOOTTIME */
	uint64_t ended_ns;
	uint64_t replaced_ns;	/* CLOCK_BOOTTIME when the image was seen to follow one of its own;
				   0: it runs what it began with */
	struct label *program;	/* that it runs, or that it got by fork; NULL: unknown */
	struct label *previous; /* before the last match, for children forked then */
	struct label *parent_program; /* that forked it */
};

struct process_table;

int process_table_new(struct process_table **ret_table, size_t limit);
void process_table_free(struct process_table *table);

/* Entries stay where they are until the next call that may add one. NULL: not there. */
struct process *process_find(struct process_table *table, pid_t pid);

/* Finds or makes. NULL: full of living processes (counted) or out of memory. */
struct process *process_add(struct process_table *table, pid_t pid);

/* A fork: the child begins with what its parent has. A leftover of the same pid is forgotten. */
struct process *process_forked(struct process_table *table, pid_t parent, pid_t child,
			       uint64_t now_ns);

/* An exec was announced; its file will follow. A process seen to end lives again: the thread that
 * called exec took over the pid (begin_new_exec, de_thread in the kernel's fs/exec.c). */
struct process *process_executed(struct process_table *table, pid_t pid);

/* The file of the oldest unmatched image (or of one that was not announced). */
void process_match(struct process *process, struct label *program);

/* The effective user with which the image began whose file was matched last, or
 * PROCESS_USER_UNKNOWN. Only as good as the events that tell of changes: without them it says
 * nothing. */
uint32_t process_image_user(const struct process *process);

void process_exited(struct process_table *table, pid_t pid, uint64_t now_ns);

/* Forgets one: its pid belongs to somebody else. */
void process_forget(struct process_table *table, pid_t pid);

/* Forgets processes that ended before that time. */
void process_table_expire(struct process_table *table, uint64_t before_ns);

/* Ends every living process that the sweep did not see. */
void process_table_sweep_end(struct process_table *table, uint32_t generation, uint64_t now_ns);

/* The program of the process that forked this one, when it forked it. NULL: unknown. */
struct label *process_parent_program(struct process_table *table, const struct process *process);

/* Living processes but kernel threads, youngest first. Returns how many were filled in. */
size_t process_table_recent(const struct process_table *table, pid_t *pids, size_t limit);

/* All entries: start with NULL. Nothing may be added meanwhile. */
struct process *process_next(struct process_table *table, const struct process *process);

size_t process_table_count(const struct process_table *table);
uint64_t process_table_refused(const struct process_table *table);

#endif
