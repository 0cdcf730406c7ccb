/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_CAPTURE_H
#define OBSERVE_NETWORK_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "observe/network/tracker.h"

/*
 * Where packets come from: an interface or a recording, through libpcap. Both go through the same
 * filter (see capture_filter.h), so that the tracker gets the same packets either way.
 */
struct capture;

/* Where packets go to, and what went there. */
struct capture_sink {
	struct tracker *tracker;
	uint64_t packets;   /* handed to the decoder */
	uint64_t bytes;	    /* of these, as on the wire */
	uint64_t undecoded; /* truncated or malformed */
};

/* An interface, or "any". Needs CAP_NET_RAW. Errors name the interface and the remedy: -EPERM,
 * -ENODEV (no such interface), -ENETDOWN (it is there, and down), -EAFNOSUPPORT (kernel without
 * CONFIG_PACKET). */
int capture_open_interface(const char *interface, struct capture **ret_capture,
			   struct error *error);

/* A recording from its first byte on; the stream is taken over, also on failure. Errors (without
 * the file's name, which is not known here): -EBADMSG not a capture, -EPROTONOSUPPORT unsupported
 * link type, -ENOMEM. */
int capture_open_stream(FILE *stream, struct capture **ret_capture, struct error *error);

void capture_close(struct capture *capture);

/* Hands at most limit packets to the sink. Never waits for an interface. Returns how many packets
 * were taken from the source, 0 for none (of a recording: its end), or a negative errno with an
 * error that says what and where: -ENODEV when an interface is gone, -EBADMSG for a broken
 * recording. */
int capture_dispatch(struct capture *capture, int limit, struct capture_sink *sink,
		     struct error *error);

/* To be polled for reading; an interface only. */
int capture_descriptor(const struct capture *capture);

/* Whether the interface went down: then nothing wakes whoever waits when it is gone altogether, and
 * capture_dispatch() has to be called now and then. */
bool capture_wants_attention(struct capture *capture);

/* Packets that the kernel or the interface dropped so far. */
uint64_t capture_dropped(struct capture *capture);

#endif
