/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "gate/gate_private.h"
#include "gate/reader.h"
#include "privilege/channel.h"

#define QUEUE_LENGTH	 1024 /* packets that wait in the kernel, each queue */
#define MESSAGES_AT_ONCE 8
#define RESTART_NS	 NS_PER_S	/* a reader that ends at once waits so long for its next */
#define SILENCE_NS	 (3 * NS_PER_S) /* while packets wait */
#define WORK_NS		 (20 * NS_PER_MS) /* flows in one go */
#define END_GRACE_MS	 100
#define QUEUE_LINE	 256
#define QUEUE_STATE	 "/proc/self/net/netfilter/nfnetlink_queue"

static void reader_lost(struct gate *gate, const char *why);

/* ---- what it says ---- */

/* Returns how many messages there were; negative errno: the reader is gone, or is not ours any
 * more. */
static int take_messages(struct gate *gate)
{
	struct held records[HELD_PER_MESSAGE];
	int messages = 0;

	while (messages < MESSAGES_AT_ONCE) {
		int count = channel_receive(worker_channel(gate->reader), records, sizeof(*records),
					    HELD_PER_MESSAGE, false, NULL);

		if (count == -EAGAIN)
			break;
		if (count == 0)
			return -EPIPE;
		if (count < 0)
			return count;
		gate->reader_heard_ns = clock_monotonic_ns();
		for (int i = 0; i < count; i++) {
			if (!held_is_valid(&records[i]))
				return -EBADMSG;
			gate_take(gate, &records[i]);
		}
		messages++;
	}
	return messages;
}

static bool heard(struct gate *gate)
{
	int result = take_messages(gate);

	if (result >= 0)
		return true;
	reader_lost(gate, result == -EPIPE ? NULL : "it said what is no record");
	return false;
}

static void on_records(void *context, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	(void)heard(context);
}

/* Flows one by one, and between them whatever came for names. */
static void on_backlog(void *context, int fd, uint32_t events)
{
	uint64_t until_ns = clock_monotonic_ns() + WORK_NS;
	struct gate *gate = context;

	(void)fd;
	(void)events;
	while (clock_monotonic_ns() < until_ns) {
		if (gate->reader && !heard(gate))
			return;
		if (!gate_take_next(gate))
			return;
	}
}

/* ---- starting ---- */

static int start_reader(struct gate *gate, struct error *error)
{
	const struct reader_config config = {
		.queues = gate->queues,
		.log = gate->log,
		.first_queue = gate->options.first_queue,
	};
	int result = reader_start(&config, &gate->reader, error);

	gate->reader_started_ns = clock_monotonic_ns();
	gate->reader_heard_ns = gate->reader_started_ns;
	if (result < 0)
		return result;
	result = loop_add_fd(gate->loop, worker_channel(gate->reader), EPOLLIN, on_records, gate,
			     &gate->reader_source);
	return result < 0 ? error_set(error, -result, "the reader cannot be listened to: %s",
				      strerror(-result))
			  : 0;
}

int gate_listen(struct gate *gate, struct error *error)
{
	int result = 0;

	if (!gate->kernel.queues || gate->reader)
		return 0;
	if (gate->queues < 0)
		result = queue_open(gate->options.first_queue, RULE_QUEUE_COUNT, QUEUE_LENGTH,
				    &gate->queues, error);
	if (result == 0 && gate->log < 0)
		result = queue_open_log(gate->options.log_group, &gate->log, error);
	if (result == 0 && !gate->backlog.source)
		result = loop_add_fd(gate->loop, gate->backlog.event, EPOLLIN, on_backlog, gate,
				     &gate->backlog.source);
	if (result == 0)
		result = start_reader(gate, error);
	if (result < 0)
		gate_stop_listening(gate);
	return result;
}

static void end_reader(struct gate *gate, int grace_ms, char text[WORKER_END_TEXT_SIZE])
{
	loop_remove(gate->reader_source);
	gate->reader_source = NULL;
	worker_end(gate->reader, grace_ms, text);
	gate->reader = NULL;
	gate_forget_waiting(gate);
}

/* The kernel drops what waits in a queue when its socket is closed. */
void gate_stop_listening(struct gate *gate)
{
	end_reader(gate, 0, NULL);
	closep(&gate->queues);
	closep(&gate->log);
	gate->queues = -1;
	gate->log = -1;
}

static void reader_lost(struct gate *gate, const char *why)
{
	char end[WORKER_END_TEXT_SIZE];

	end_reader(gate, why ? 0 : END_GRACE_MS, end);
	/* what it had taken in hand nobody will ask about again; who sent it sends it again */
	for (unsigned int i = 0; i < RULE_QUEUE_COUNT; i++)
		(void)queue_drop_all(gate->queues, (uint16_t)(gate->options.first_queue + i));
	gate->counts.reader_restarts++;
	gate_say(gate, "who reads packets for the gate ended and is started again: %s",
		 why ? why : end);
	if (clock_monotonic_ns() - gate->reader_started_ns >= RESTART_NS)
		gate_watch_reader(gate);
}

/* ---- watching ---- */

/* Packets in our queues that wait for an answer: net/netfilter/nfnetlink_queue.c seq_show(): queue,
 * port id, waiting, … */
static bool packets_wait(const struct gate *gate)
{
	_cleanup_(fclosep) FILE *file = fopen(QUEUE_STATE, "re");
	char line[QUEUE_LINE];

	while (file && fgets(line, sizeof(line), file)) {
		unsigned int number, waiting;

		if (sscanf(line, "%u %*u %u", &number, &waiting) == 2 && waiting &&
		    number >= gate->options.first_queue &&
		    number < gate->options.first_queue + (unsigned int)RULE_QUEUE_COUNT)
			return true;
	}
	return false;
}

void gate_watch_reader(struct gate *gate)
{
	uint64_t now_ns = clock_monotonic_ns();
	struct error error = {0};

	if (!gate->kernel.queues || !gate->program)
		return;
	if (gate->reader) {
		if (now_ns - gate->reader_heard_ns > SILENCE_NS && !gate->backlog.count &&
		    packets_wait(gate))
			reader_lost(gate, "it gave no sign of life while packets waited");
		return;
	}
	if (gate_listen(gate, &error) < 0 && now_ns - gate->said_ns > 10 * NS_PER_S) {
		gate->said_ns = now_ns;
		gate_say(gate, "nobody reads what waits for the gate, and it goes no further: %s",
			 error.message);
	}
}
