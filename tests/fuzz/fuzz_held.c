/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include <string.h>

#include "gate/dns_streams.h"
#include "gate/queue_message.h"
#include "gate/reader.h"
#include "gate/refusal.h"
#include "rules/program.h"

/* A valid record can be refused in a packet that fits. */
static void refuse(const struct held *held)
{
	uint8_t packet[REFUSAL_SIZE_MAX];

	fuzz_require(refusal_build(held, 3, packet) <= sizeof(packet));
}

/* Any bytes in the place of a record, as one from another process. */
static void check_record(const uint8_t *bytes, size_t size)
{
	struct held held = {0};

	memcpy(&held, bytes, size < sizeof(held) ? size : sizeof(held));
	if (held_is_valid(&held))
		refuse(&held);
}

static void take_apart(struct dns_streams *streams, uint8_t queue, uint8_t way,
		       const uint8_t *bytes, size_t size)
{
	static struct held held[HELD_PER_PACKET];
	size_t count = reader_take_apart(streams, queue, way, bytes, size, held);

	fuzz_require(count >= 1 && count <= HELD_PER_PACKET);
	for (size_t i = 0; i < count; i++) {
		held[i].packet = 1;
		fuzz_require(held_is_valid(&held[i]));
		fuzz_require(held[i].more == (i + 1 < count));
		refuse(&held[i]);
	}
	reader_take_refused(way, bytes, size, &held[0]);
	fuzz_require(held_is_valid(&held[0]));
}

/* Packets of one conversation: queue and way in one byte, the length in two, the packet. */
static void read_packets(const uint8_t *bytes, size_t size)
{
	struct dns_streams *streams;

	if (dns_streams_new(&streams) < 0)
		return;
	while (size >= 3) {
		uint8_t how = bytes[0];
		size_t length = (size_t)bytes[1] << 8 | bytes[2];

		bytes += 3;
		size -= 3;
		if (length > size)
			length = size;
		take_apart(streams, how & 1, (how >> 1) % HELD_WAY_COUNT, bytes, length);
		bytes += length;
		size -= length;
	}
	dns_streams_free(streams);
}

static void touch(void *context, const struct queue_message *message)
{
	size_t sum = strlen(message->prefix);

	for (size_t i = 0; i < message->size; i++)
		sum += message->bytes[i];
	*(volatile size_t *)context = sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	size_t sum;

	queue_message_each(bytes, size, touch, &sum);
	check_record(bytes, size);
	read_packets(bytes, size);
	return 0;
}
