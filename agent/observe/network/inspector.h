/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_INSPECTOR_H
#define OBSERVE_NETWORK_INSPECTOR_H

#include <stddef.h>

#include "base/error.h"
#include "loop/loop.h"
#include "observe/network/tracker.h"

/*
 * The process that parses what the network sends: forked from the supervisor with nothing but an
 * open capture and a channel back, without capabilities, with its own user, an empty root and a
 * system call filter. It returns observations of the network kinds; each is checked on arrival, and
 * what is out of range ends that inspector as compromised. When it dies it is started again with a
 * fresh capture and the gap is reported (OBSERVATION_CAPTURE with interrupted set); nothing that
 * was delivered is lost.
 */
struct inspector;

struct inspector_config {
	const char *const *interfaces; /* live: names, "any" for a plain host; copied */
	size_t interface_count;	       /* at most 32 */
	struct tracker_config subject; /* deliver and context are called in this process; own_macs
					  is not used: the interfaces are asked */
};

/* Live: starts one inspector over all interfaces and watches it from the loop. Errors name the
 * interface and the remedy: -EPERM (capture needs CAP_NET_RAW), -ENODEV (no such interface),
 * -EAFNOSUPPORT (kernel without CONFIG_PACKET). An interface that is down is waited for; one that
 * goes away is reported (OBSERVATION_CAPTURE with interrupted set) and taken up again when it is
 * back. */
int inspector_start(struct loop *loop, const struct inspector_config *config,
		    struct inspector **ret_inspector, struct error *error);

/* Asks for everything pending, waits for it (at most a second) and ends the process. NULL allowed.
 * Not to be called from inside tracker_config.deliver. */
void inspector_stop(struct inspector *inspector);

/* The worker's process id, for tests; 0 while it is being restarted. */
int inspector_pid(const struct inspector *inspector);

/* What is wrong right now, for tests: an interface that is gone or down and waited for, or why the
 * inspector is not running; "" when all is well. Valid until the loop runs again. */
const char *inspector_trouble(const struct inspector *inspector);

/* Recorded: one capture file ("-": standard input) through one inspector, until its end.
 * tracker_config.deliver is called from inside. Several files are one stream when called in turn
 * with the same reader. Errors name the file and, when cut, how far it was read: everything before
 * the break has been delivered. */
struct recording_reader;
int recording_reader_new(const struct tracker_config *subject, struct recording_reader **ret_reader,
			 struct error *error);
int recording_reader_read(struct recording_reader *reader, const char *path, struct error *error);
/* Settles what is pending. */
int recording_reader_finish(struct recording_reader *reader, struct error *error);
void recording_reader_free(struct recording_reader *reader);

#endif
