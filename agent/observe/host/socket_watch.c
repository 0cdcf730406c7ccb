/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/socket_watch.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "observe/host/socket_counts.h"
#include "observe/host/socket_events.h"
#include "observe/host/socket_holder.h"
#include "observe/host/socket_listeners.h"
#include "observe/host/socket_owner.h"
#include "observe/host/socket_ports.h"
#include "observe/host/socket_source.h"
#include "observe/host/socket_watch_private.h"

/* Often enough that a listener which lives 50 ms is met with 20 ms left for finding its program. */
#define ROUND_NS (30 * NS_PER_MS)

/* /proc/net lists every socket, so that looking costs more. */
#define SLOW_ROUND_NS (250 * NS_PER_MS)

/* How long a protocol may go without a look while its number of sockets stays the same. */
#define FULL_ROUND_NS (1 * NS_PER_S)

/* When the kernel's settings are read again. */
#define SETTINGS_NS (60 * NS_PER_S)

static const uint8_t all_protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_SCTP, 0};

struct socket_watch {
	struct socket_watch_config config;
	struct loop_source *timer;
	struct socket_ports ports;
	struct socket_source *source;
	struct socket_events *events; /* NULL: the kernel does not announce closed sockets */
	struct socket_counts *counts; /* NULL: the kernel does not tell */
	struct socket_holder *holder;
	struct socket_listeners *listeners;
	bool closed; /* announcements came since the last look at UDP: the number alone is no proof
		      */
	uint64_t round_ns;    /* CLOCK_MONOTONIC of the round that runs */
	uint64_t full_ns;     /* when all protocols were looked at */
	uint64_t settings_ns; /* when the settings were read */
	uint64_t events_seen;
	uint64_t events_lost;
	char *owner; /* what socket_watch_owner() said last */
};

static void on_record(void *context, const struct socket_record *record)
{
	struct socket_watch *watch = context;

	/* without memory the socket is met again in the next round */
	if (socket_is_listener(&watch->ports, record))
		(void)socket_listeners_add(watch->listeners, record, watch->round_ns);
}

static void look(struct socket_watch *watch, const uint8_t *protocols)
{
	uint8_t answered[array_length(all_protocols)] = {0};
	size_t count = 0;

	watch->round_ns = clock_monotonic_ns();
	for (; *protocols; protocols++)
		if (!socket_source_waiting(watch->source, *protocols, on_record, watch))
			answered[count++] = *protocols;
	(void)socket_listeners_end_round(watch->listeners, answered, watch->round_ns);
}

static void report_events(struct socket_watch *watch)
{
	struct observation observation = {
		.kind = OBSERVATION_LOSS,
		.time_ns = clock_realtime_ns(),
		.loss =
			{
				.source = "socket events",
				.seen = watch->events_seen,
				.lost = watch->events_lost,
			},
	};

	watch->config.deliver(watch->config.context, &observation);
}

static void on_closed(void *context, const struct socket_record *record)
{
	struct socket_watch *watch = context;

	watch->events_seen++;
	watch->closed = true;
	if (socket_is_listener(&watch->ports, record))
		(void)socket_listeners_closed(watch->listeners, record, clock_monotonic_ns());
}

static void on_lost(void *context)
{
	struct socket_watch *watch = context;

	/* how many, the kernel does not say */
	watch->events_lost++;
	look(watch, all_protocols);
	report_events(watch);
}

/* What a round must look at. A TCP listener may come while a connection goes, so that only a look
 * tells. The same with UDP leaves an announcement behind when the socket is closed, at the latest.
 */
static void choose_protocols(struct socket_watch *watch, uint8_t *protocols)
{
	static const uint8_t counted[] = {IPPROTO_UDP, IPPROTO_UDPLITE};

	*protocols++ = IPPROTO_TCP;
	if (watch->counts)
		socket_counts_read(watch->counts);
	for (size_t i = 0; i < array_length(counted); i++)
		if (!watch->counts || watch->closed ||
		    socket_counts_changed(watch->counts, counted[i]))
			*protocols++ = counted[i];
	watch->closed = false;
	*protocols = 0;
}

static void on_round(void *context)
{
	struct socket_watch *watch = context;
	uint8_t protocols[array_length(all_protocols)];
	uint64_t now_ns = clock_monotonic_ns();

	if (now_ns - watch->settings_ns >= SETTINGS_NS) {
		watch->settings_ns = now_ns;
		socket_ports_read(&watch->ports);
		if (watch->events)
			report_events(watch);
	}
	choose_protocols(watch, protocols);
	if (now_ns - watch->full_ns >= FULL_ROUND_NS) {
		watch->full_ns = now_ns;
		look(watch, all_protocols);
	} else {
		look(watch, protocols);
	}
}

/* net.ipv6.bindv6only */
static bool v6_only_by_default(void)
{
	_cleanup_(fclosep) FILE *file = fopen("/proc/sys/net/ipv6/bindv6only", "re");

	return file && fgetc(file) == '1';
}

static int start(struct socket_watch *watch, enum socket_source_kind kind, struct loop *loop)
{
	struct socket_events_config events = {on_closed, on_lost, watch};
	struct socket_listeners_config listeners = {
		.v6_only_default = v6_only_by_default(),
		.deliver = watch->config.deliver,
		.context = watch->config.context,
	};
	int result;

	socket_ports_read(&watch->ports);
	result = socket_source_new(kind, &watch->source);
	if (!result)
		result = socket_holder_new(watch->config.executions, &watch->holder);
	if (result < 0)
		return result;
	listeners.holder = watch->holder;
	result = socket_listeners_new(&listeners, &watch->listeners);
	if (result < 0)
		return result;
	/* events first: what closes during the first look is not missed */
	if (kind != SOCKET_SOURCE_PROC)
		(void)socket_events_new(loop, &watch->ports, &events, &watch->events);
	/* without announcements the numbers are not trusted alone */
	if (watch->events && socket_counts_new(&watch->counts) == -ENOMEM)
		return -ENOMEM;
	if (watch->counts)
		socket_counts_read(watch->counts);
	look(watch, all_protocols);
	watch->full_ns = watch->settings_ns = watch->round_ns;
	return loop_add_timer(loop, socket_source_is_slow(watch->source) ? SLOW_ROUND_NS : ROUND_NS,
			      on_round, watch, &watch->timer);
}

int socket_watch_new_from(enum socket_source_kind kind, struct loop *loop,
			  const struct socket_watch_config *config, struct socket_watch **ret_watch,
			  struct error *error)
{
	struct socket_watch *watch = calloc(1, sizeof(*watch));
	int result;

	if (!watch)
		return error_set(error, ENOMEM, "watching sockets: out of memory");
	watch->config = *config;
	result = start(watch, kind, loop);
	if (result < 0) {
		socket_watch_free(watch);
		return error_set(error, -result, "watching sockets: %s", strerror(-result));
	}
	*ret_watch = watch;
	return 0;
}

int socket_watch_new(struct loop *loop, const struct socket_watch_config *config,
		     struct socket_watch **ret_watch, struct error *error)
{
	return socket_watch_new_from(SOCKET_SOURCE_BEST, loop, config, ret_watch, error);
}

void socket_watch_free(struct socket_watch *watch)
{
	if (!watch)
		return;
	loop_remove(watch->timer);
	socket_events_free(watch->events);
	socket_counts_free(watch->counts);
	socket_listeners_free(watch->listeners);
	socket_holder_free(watch->holder);
	socket_source_free(watch->source);
	free(watch->owner);
	free(watch);
}

int socket_watch_owner(struct socket_watch *watch, const struct observed_flow *flow,
		       uint64_t time_ns, const char **ret_program, bool *ret_left_out)
{
	char *program;
	int result = socket_owner_find(watch->source, watch->holder, flow, time_ns, &program,
				       ret_left_out);

	if (result < 0)
		return result;
	free(watch->owner);
	watch->owner = program;
	*ret_program = program;
	return 0;
}
