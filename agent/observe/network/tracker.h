/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_TRACKER_H
#define OBSERVE_NETWORK_TRACKER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "observe/network/packet.h"
#include "observe/observation.h"

/*
 * Packets in, observations out: who opened which flow, what the peer is called, what the station
 * serves, which peers play a role. All decisions follow the packets' own times, so that a recording
 * gives what watching the same packets live gives. Runs inside the inspector; every table is
 * bounded, the oldest entry goes first and is counted.
 */
struct tracker;

enum tracker_subject {
	TRACK_MAC,	 /* frames from and to this Ethernet address */
	TRACK_ADDRESS,	 /* packets from and to this IP address: raw IP has nothing else */
	TRACK_THIS_HOST, /* what a cooked capture marks as ours, or frames of own_macs */
};

struct tracker_config {
	enum tracker_subject subject;
	struct mac_address mac;
	struct ip_address address;
	const struct mac_address *own_macs; /* TRACK_THIS_HOST on Ethernet; copied */
	size_t own_mac_count;
	struct station station; /* written into every observation */
	observation_fn deliver; /* network kinds only */
	void *context;
};

/* Returns 0 or -ENOMEM. */
int tracker_new(const struct tracker_config *config, struct tracker **ret_tracker);
void tracker_free(struct tracker *tracker);

/* time_ns: the packet's, since 1970. A step back of more than a second ends all pending flows. */
void tracker_packet(struct tracker *tracker, const struct packet *packet, uint64_t time_ns);

/* Time passed without packets: what waited for a name is settled without one. */
void tracker_advance(struct tracker *tracker, uint64_t time_ns);

/* The end of the capture: settles everything that is pending. */
void tracker_finish(struct tracker *tracker);

/* Entries pushed out of full tables so far. */
uint64_t tracker_evicted(const struct tracker *tracker);

/* DNS answers so far that answered nothing the station had asked. They changed nothing. */
uint64_t tracker_forged(const struct tracker *tracker);

#endif
