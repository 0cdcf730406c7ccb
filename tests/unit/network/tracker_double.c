/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracker_double.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "observe/network/tracker.h"

struct tracker {
	struct tracker_config config;
	uint64_t count;
	struct observed_flow flows[DOUBLE_FLOWS_KEPT];
};

int tracker_new(const struct tracker_config *config, struct tracker **ret_tracker)
{
	struct tracker *tracker = calloc(1, sizeof(*tracker));

	if (!tracker)
		return -ENOMEM;
	tracker->config = *config;
	*ret_tracker = tracker;
	return 0;
}

void tracker_free(struct tracker *tracker)
{
	free(tracker);
}

static void misbehave(uint16_t port, struct observed_flow *flow)
{
	switch (port) {
	case DOUBLE_PORT_CRASH:
		(void)signal(SIGSEGV, SIG_DFL);
		__builtin_trap();
	case DOUBLE_PORT_LIE:
		flow->local.family = 9;
		break;
	case DOUBLE_PORT_OPEN:
		(void)open("/etc/passwd", O_RDONLY);
		break;
	}
}

static void deliver(struct tracker *tracker, enum observation_kind kind,
		    const struct observed_flow *flow, uint64_t time_ns)
{
	const struct observation observation = {.kind = kind,
						.station = tracker->config.station,
						.time_ns = time_ns,
						.flow = *flow};

	tracker->config.deliver(tracker->config.context, &observation);
}

void tracker_packet(struct tracker *tracker, const struct packet *packet, uint64_t time_ns)
{
	struct observed_flow flow = {
		.id = tracker->count + 1,
		.local = packet->source,
		.remote = packet->destination,
		.protocol = packet->protocol,
		.local_port = packet->source_port,
		.remote_port = packet->destination_port,
	};

	if (packet->kind != PACKET_IP || !packet->has_ports)
		return;
	misbehave(packet->destination_port, &flow);
	if (tracker->count < DOUBLE_FLOWS_KEPT)
		tracker->flows[tracker->count] = flow;
	tracker->count++;
	deliver(tracker, OBSERVATION_START, &flow, time_ns);
}

void tracker_advance(struct tracker *tracker, uint64_t time_ns)
{
	(void)tracker;
	(void)time_ns;
}

void tracker_finish(struct tracker *tracker)
{
	for (uint64_t i = 0; i < tracker->count && i < DOUBLE_FLOWS_KEPT; i++)
		deliver(tracker, OBSERVATION_CONNECTION, &tracker->flows[i], 0);
	tracker->count = 0;
}

uint64_t tracker_evicted(const struct tracker *tracker)
{
	(void)tracker;
	return 0;
}

uint64_t tracker_forged(const struct tracker *tracker)
{
	(void)tracker;
	return 0;
}
