/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/live.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "observe/network/capture.h"
#include "observe/network/outbox.h"
#include "observe/network/own_macs.h"
#include "privilege/channel.h"

enum {
	/* Packets of one interface in a row: short enough that a START leaves at once and the
	 * others get their turn. */
	DISPATCH_PACKETS = 64,
	/* As many in one round are the beginning of a flood. */
	BUSY_PACKETS = 8,
	/* Ticks go on this long after the last packet: until the tracker has nothing left that only
	 * time settles (NAME_WAIT_NS and QUESTION_WAIT_NS are 5 s), and nothing left to count. */
	QUIET_TICKS = 8,
	/* What is in the rings when the end is asked for is still read, but not for ever. */
	LAST_ROUNDS = 256,
};

#define TICK_NS NS_PER_S

/* A host has rarely more interfaces with an address of their own. */
#define OWN_MACS_MAX 64

struct live {
	struct live_config config;
	struct capture *captures[INTERFACES_MAX]; /* NULL: could not be opened */
	/* Gone since. Closing its capture takes rights that a confined process has not, and with it
	 * the process gives way to a new one as soon as the interface is back. */
	bool gone[INTERFACES_MAX];
	struct trouble troubles[INTERFACES_MAX];
	struct capture_sink sink;
	struct observed_capture reported;
	uint64_t next_tick_ns;
	unsigned int ticks_left;
	struct outbox outbox;
	struct mac_address own_macs[OWN_MACS_MAX]; /* as they are now: an interface may come back
						      with another */
};

int live_new(const struct live_config *config, struct live **ret_live)
{
	struct live *live;

	if (config->interface_count == 0 || config->interface_count > INTERFACES_MAX)
		return -E2BIG;
	live = calloc(1, sizeof(*live));
	if (!live)
		return -ENOMEM;
	live->config = *config;
	*ret_live = live;
	return 0;
}

void live_free(struct live *live)
{
	if (!live)
		return;
	for (size_t i = 0; i < INTERFACES_MAX; i++)
		capture_close(live->captures[i]);
	tracker_free(live->sink.tracker);
	free(live);
}

static void note_trouble(struct live *live, size_t interface, const struct error *error)
{
	struct trouble *trouble = &live->troubles[interface];

	trouble->interface = (uint32_t)interface;
	trouble->code = error->code;
	(void)snprintf(trouble->text, sizeof(trouble->text), "%.*s", (int)sizeof(trouble->text) - 1,
		       error->message);
}

/* An interface that is down is waited for; and once all could be opened, so is one that cannot any
 * more, lest the others suffer. */
static bool can_wait(const struct live *live, int code)
{
	return code == ENETDOWN || !live->config.first;
}

int live_prepare(void *context, struct error *error)
{
	struct live *live = context;

	live->config.subject.own_macs = live->own_macs;
	live->config.subject.own_mac_count = own_macs_read(live->own_macs, OWN_MACS_MAX);
	for (size_t i = 0; i < live->config.interface_count; i++) {
		struct error trouble = {0};

		if (capture_open_interface(live->config.interfaces[i], &live->captures[i],
					   &trouble) == 0)
			continue;
		if (!can_wait(live, trouble.code)) {
			*error = trouble;
			return -error->code;
		}
		note_trouble(live, i, &trouble);
	}
	return 0;
}

static void report_trouble(struct live *live, size_t interface)
{
	const struct report report = {.kind = REPORT_INTERFACE,
				      .trouble = live->troubles[interface]};

	outbox_put(&live->outbox, &report);
	live->outbox.urgent = true;
}

static void report_capture(struct live *live)
{
	struct observation observation = {
		.kind = OBSERVATION_CAPTURE,
		.station = live->config.subject.station,
		.time_ns = clock_realtime_ns(),
		.capture = {.packets = live->sink.packets,
			    .bytes = live->sink.bytes,
			    .undecoded = live->sink.undecoded,
			    .evicted = tracker_evicted(live->sink.tracker)},
	};
	struct observed_capture *now = &observation.capture;

	for (size_t i = 0; i < live->config.interface_count; i++) {
		if (live->captures[i])
			now->dropped += capture_dropped(live->captures[i]);
	}
	if (now->packets == live->reported.packets && now->dropped == live->reported.dropped &&
	    now->evicted == live->reported.evicted)
		return;
	live->reported = *now;
	outbox_observe(&live->outbox, &observation);
}

static void give_up_interface(struct live *live, size_t interface, const struct error *error)
{
	struct error named = *error;

	(void)error_prefix(&named, "%s", live->config.interfaces[interface]);
	live->gone[interface] = true;
	note_trouble(live, interface, &named);
	report_trouble(live, interface);
}

static bool is_watched(const struct live *live, size_t interface)
{
	return live->captures[interface] && !live->gone[interface];
}

/* One round over the interfaces. Returns how many packets there were. */
static int dispatch_all(struct live *live)
{
	int total = 0;

	for (size_t i = 0; i < live->config.interface_count; i++) {
		struct error error = {0};
		int count;

		if (!is_watched(live, i))
			continue;
		count = capture_dispatch(live->captures[i], DISPATCH_PACKETS, &live->sink, &error);
		if (count < 0)
			give_up_interface(live, i, &error);
		else
			total += count;
	}
	return total;
}

static void tick(struct live *live, uint64_t now_ns)
{
	live->ticks_left--;
	live->next_tick_ns = now_ns + TICK_NS;
	tracker_advance(live->sink.tracker, clock_realtime_ns());
	report_capture(live);
}

static bool needs_attention(const struct live *live)
{
	for (size_t i = 0; i < live->config.interface_count; i++) {
		if (is_watched(live, i) && capture_wants_attention(live->captures[i]))
			return true;
	}
	return false;
}

/* -1 when only a packet or a command can bring something new. */
static int wait_ms(const struct live *live, uint64_t now_ns)
{
	uint64_t until_ns = UINT64_MAX;

	if (live->ticks_left)
		until_ns = live->next_tick_ns;
	else if (needs_attention(live))
		until_ns = now_ns + TICK_NS;
	if (live->outbox.count && live->outbox.oldest_ns + OUTBOX_WAIT_NS < until_ns)
		until_ns = live->outbox.oldest_ns + OUTBOX_WAIT_NS;
	if (until_ns == UINT64_MAX)
		return -1;
	if (until_ns <= now_ns)
		return 0;
	return (int)((until_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

/* Whether the supervisor asked for the end, or is gone (-EPIPE). */
static int take_command(struct live *live, int channel)
{
	const struct report alive = {.kind = REPORT_ALIVE};
	struct command command;
	int count = channel_receive(channel, &command, sizeof(command), 1, false, NULL);

	if (count == -EAGAIN)
		return 0;
	if (count == 1 && command.kind == COMMAND_ANSWER) {
		outbox_put(&live->outbox, &alive);
		live->outbox.urgent = true;
		return 0;
	}
	return count == 1 && command.kind == COMMAND_FINISH ? 1 : -EPIPE;
}

static int finish(struct live *live)
{
	const struct report finished = {.kind = REPORT_FINISHED};

	for (int round = 0; round < LAST_ROUNDS && dispatch_all(live) > 0; round++)
		(void)outbox_flush_due(&live->outbox, clock_monotonic_ns());
	tracker_finish(live->sink.tracker);
	report_capture(live);
	outbox_put(&live->outbox, &finished);
	return outbox_flush(&live->outbox);
}

static size_t fill_polls(const struct live *live, int channel, struct pollfd *polls)
{
	size_t count = 0;

	polls[count++] = (struct pollfd){.fd = channel, .events = POLLIN};
	for (size_t i = 0; i < live->config.interface_count; i++) {
		if (is_watched(live, i))
			polls[count++] = (struct pollfd){
				.fd = capture_descriptor(live->captures[i]), .events = POLLIN};
	}
	return count;
}

/*
 * Waits for something to do, packets: how many there were in the last round. While they pour in,
 * one wake-up for each would cost more than looking at it, to the sender as well: then a rest of a
 * millisecond lets some come together, which the rings have room for.
 */
static int await(struct live *live, int channel, int packets, struct pollfd *polls)
{
	size_t count = fill_polls(live, channel, polls);
	int timeout_ms = wait_ms(live, clock_monotonic_ns());

	if (packets >= DISPATCH_PACKETS) {
		count = 1;
		timeout_ms = 0;
	} else if (packets >= BUSY_PACKETS) {
		count = 1;
		timeout_ms = 1;
	}
	if (poll(polls, count, timeout_ms) >= 0)
		return 0;
	polls[0].revents = 0;
	return errno == EINTR ? 0 : -errno;
}

static int watch(struct live *live, int channel)
{
	struct pollfd polls[1 + INTERFACES_MAX];
	int packets = 0;

	for (;;) {
		int result = await(live, channel, packets, polls);
		uint64_t now_ns;

		if (result < 0)
			return result;
		result = polls[0].revents ? take_command(live, channel) : 0;
		if (result < 0)
			return result;
		if (result > 0)
			return finish(live);
		packets = dispatch_all(live);
		if (packets > 0) {
			now_ns = clock_monotonic_ns();
			if (live->ticks_left == 0)
				live->next_tick_ns = now_ns + TICK_NS;
			live->ticks_left = QUIET_TICKS;
		} else {
			now_ns = clock_monotonic_ns();
		}
		if (live->ticks_left && now_ns >= live->next_tick_ns)
			tick(live, now_ns);
		result = outbox_flush_due(&live->outbox, now_ns);
		if (result < 0)
			return result;
	}
}

int live_run(void *context, int channel)
{
	struct live *live = context;
	struct tracker_config subject = live->config.subject;

	live->outbox.channel = channel;
	subject.deliver = outbox_observe;
	subject.context = &live->outbox;
	if (tracker_new(&subject, &live->sink.tracker) < 0)
		return EXIT_FAILURE;
	for (size_t i = 0; i < live->config.interface_count; i++) {
		if (!live->captures[i])
			report_trouble(live, i);
	}
	if (outbox_flush(&live->outbox) < 0)
		return EXIT_FAILURE;
	return watch(live, channel) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
