/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/reader.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "gate/dns_streams.h"
#include "gate/queue_message.h"
#include "privilege/channel.h"
#include "rules/program.h"

/* Datagrams of one socket in a row, so that the other gets its turn. */
#define DATAGRAMS_IN_A_ROW 32

#define END_GRACE_MS 100

struct reader {
	uint16_t first_queue;
	int channel;
	int queues;
	int log;
	int broken; /* negative errno once the gate could not be reached */
	struct dns_streams *streams;
	size_t count; /* records that did not leave yet */
	struct held records[HELD_PER_MESSAGE];
	struct held packet[HELD_PER_PACKET]; /* of the one at hand */
	uint8_t datagram[QUEUE_DATAGRAM_SIZE];
};

/* The gate's only word: what to read. A socket comes with each. */
enum handing_kind { HANDING_QUEUES = 1, HANDING_LOG };

struct handing {
	uint32_t kind;
	uint16_t first_queue;
};

static void flush(struct reader *reader)
{
	if (reader->count && !reader->broken)
		reader->broken = channel_write(reader->channel, reader->records,
					       sizeof(reader->records[0]), reader->count);
	reader->count = 0;
}

static void put(struct reader *reader, const struct held *held)
{
	if (reader->count == HELD_PER_MESSAGE)
		flush(reader);
	reader->records[reader->count++] = *held;
}

static uint8_t way_of_hook(uint8_t hook)
{
	static const uint8_t ways[] = {
		[NF_INET_PRE_ROUTING] = HELD_IN,   [NF_INET_LOCAL_IN] = HELD_IN,
		[NF_INET_FORWARD] = HELD_FORWARD,  [NF_INET_LOCAL_OUT] = HELD_OUT,
		[NF_INET_POST_ROUTING] = HELD_OUT,
	};

	return hook < array_length(ways) ? ways[hook] : HELD_FORWARD;
}

static uint8_t way_of_report(const struct queue_message *message)
{
	static const struct {
		const char *prefix;
		uint8_t way;
	} prefixes[] = {
		{RULE_PREFIX_OUT, HELD_OUT},
		{RULE_PREFIX_IN, HELD_IN},
		{RULE_PREFIX_FORWARD, HELD_FORWARD},
	};

	for (size_t i = 0; i < array_length(prefixes); i++)
		if (strcmp(message->prefix, prefixes[i].prefix) == 0)
			return prefixes[i].way;
	return way_of_hook(message->hook);
}

static void take_message(void *context, const struct queue_message *message)
{
	struct reader *reader = context;
	unsigned int queue = (unsigned int)message->queue - reader->first_queue;
	size_t count = 1;

	if (message->logged)
		reader_take_refused(way_of_report(message), message->bytes, message->size,
				    &reader->packet[0]);
	else if (queue < RULE_QUEUE_COUNT)
		count = reader_take_apart(reader->streams, (uint8_t)queue,
					  way_of_hook(message->hook), message->bytes, message->size,
					  reader->packet);
	else
		return;
	for (size_t i = 0; i < count; i++) {
		reader->packet[i].packet = message->packet;
		reader->packet[i].mark = message->mark;
		put(reader, &reader->packet[i]);
	}
}

/* What is there, for a while. ENOBUFS says that something was lost: the kernel dropped it. Returns
 * 0 or negative errno, for a socket that is good for nothing any more. */
static int drain(struct reader *reader, int fd)
{
	for (int i = 0; i < DATAGRAMS_IN_A_ROW; i++) {
		ssize_t size = recv(fd, reader->datagram, sizeof(reader->datagram), MSG_DONTWAIT);

		if (size < 0 && errno == EAGAIN)
			break;
		if (size < 0 && errno != ENOBUFS && errno != EINTR)
			return -errno;
		if (size > 0)
			queue_message_each(reader->datagram, (size_t)size, take_message, reader);
	}
	flush(reader);
	return reader->broken;
}

/* Packets in the queues wait for an answer; those of the log do not, and must not fill the channel
 * before them. */
static int serve(struct reader *reader)
{
	enum { QUEUES, LOG, CHANNEL };
	struct pollfd polls[] = {
		[QUEUES] = {.fd = reader->queues, .events = POLLIN},
		[LOG] = {.fd = reader->log, .events = POLLIN},
		[CHANNEL] = {.fd = reader->channel},
	};
	int result = 0;

	while (result == 0) {
		struct pollfd room = {.fd = reader->channel, .events = POLLOUT};

		if (poll(polls, array_length(polls), -1) < 0) {
			result = errno == EINTR ? 0 : -errno;
			continue;
		}
		if (polls[CHANNEL].revents & (POLLHUP | POLLERR | POLLNVAL))
			return 0;
		if (polls[QUEUES].revents)
			result = drain(reader, reader->queues);
		/* without room, the log is looked at again when there is some */
		polls[LOG].fd = poll(&room, 1, 0) == 1 ? reader->log : -1;
		polls[CHANNEL].events = polls[LOG].fd < 0 ? POLLOUT : 0;
		if (result == 0 && polls[LOG].fd >= 0 && polls[LOG].revents)
			result = drain(reader, reader->log);
	}
	return result;
}

static int take_handing(struct reader *reader, enum handing_kind kind, int *ret_fd)
{
	struct handing handing;

	if (channel_receive(reader->channel, &handing, sizeof(handing), 1, true, ret_fd) != 1 ||
	    handing.kind != (uint32_t)kind || *ret_fd < 0)
		return -EPIPE;
	reader->first_queue = handing.first_queue;
	return 0;
}

static int run(void *context, int channel)
{
	struct reader *reader = context;
	int result;

	reader->channel = channel;
	result = dns_streams_new(&reader->streams);
	if (result == 0)
		result = take_handing(reader, HANDING_QUEUES, &reader->queues);
	if (result == 0)
		result = take_handing(reader, HANDING_LOG, &reader->log);
	if (result == 0)
		result = serve(reader);
	return result < 0 ? -result : 0;
}

static int hand_over(int channel, const struct reader_config *config)
{
	const struct handing queues = {.kind = HANDING_QUEUES, .first_queue = config->first_queue};
	const struct handing log = {.kind = HANDING_LOG, .first_queue = config->first_queue};
	int result = channel_send(channel, &queues, sizeof(queues), 1, config->queues);

	return result < 0 ? result : channel_send(channel, &log, sizeof(log), 1, config->log);
}

int reader_start(const struct reader_config *config, struct worker **ret_reader,
		 struct error *error)
{
	/* the child's, in a copy of this memory */
	_cleanup_(freep) struct reader *reader = calloc(1, sizeof(*reader));
	const struct worker_config worker_config = {
		.name = "rtguard-reader", .run = run, .context = reader};
	struct worker *worker;
	int result;

	if (!reader)
		return error_set(error, ENOMEM, "out of memory");
	result = worker_start(&worker_config, &worker, error);
	if (result < 0)
		return result;
	result = hand_over(worker_channel(worker), config);
	if (result < 0) {
		worker_end(worker, END_GRACE_MS, NULL);
		return error_set(error, -result, "cannot hand the queues to their reader: %s",
				 strerror(-result));
	}
	*ret_reader = worker;
	return 0;
}
