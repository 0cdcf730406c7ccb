/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <stdint.h>

/*
 * One thread, one epoll. Sources are watched until they are removed; callbacks run from loop_run()
 * only. A callback may add and remove any source, itself included.
 */
struct loop;
struct loop_source;

/* events: the EPOLL* bits that are ready. */
typedef void (*loop_fd_fn)(void *context, int fd, uint32_t events);
typedef void (*loop_timer_fn)(void *context);
typedef void (*loop_signal_fn)(void *context, int signal_number);

/* Returns 0 or negative errno. */
int loop_new(struct loop **ret_loop);

/* Frees the loop and every source still in it; descriptors that were handed in stay open. */
void loop_free(struct loop *loop);

/* Watches fd (not owned) for the EPOLL* events given. */
int loop_add_fd(struct loop *loop, int fd, uint32_t events, loop_fd_fn callback, void *context,
		struct loop_source **ret_source);

/* Changes what an fd source is watched for; 0 pauses it. */
int loop_set_events(struct loop_source *source, uint32_t events);

/* Fires every interval_ns of CLOCK_BOOTTIME, first after one interval; missed ticks are one call.
 */
int loop_add_timer(struct loop *loop, uint64_t interval_ns, loop_timer_fn callback, void *context,
		   struct loop_source **ret_source);

/* Blocks the signal for the process and delivers it here. */
int loop_add_signal(struct loop *loop, int signal_number, loop_signal_fn callback, void *context,
		    struct loop_source **ret_source);

/* NULL is allowed. */
void loop_remove(struct loop_source *source);

/* Runs until loop_stop(). Returns the stop's value, or negative errno if waiting failed. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop, int value);

#endif
