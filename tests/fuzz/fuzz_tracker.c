/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include <string.h>

#include <pcap/dlt.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "observe/network/tracker.h"

#define FLOWS 4096 /* as many as are checked by id */

/* Every flow starts once and is settled once, whatever the packets. */
struct watch {
	uint64_t last_id;
	bool is_open[FLOWS];
};

static void note(void *context, const struct observation *observation)
{
	struct watch *watch = context;
	uint64_t id = observation->flow.id;

	fuzz_require(observation->kind >= OBSERVATION_START &&
		     observation->kind <= OBSERVATION_ROLE);
	if (observation->kind == OBSERVATION_NAME)
		fuzz_require(memchr(observation->name.name, '\0', NAME_SIZE));
	if (observation->kind != OBSERVATION_START && observation->kind != OBSERVATION_CONNECTION)
		return;
	fuzz_require(memchr(observation->flow.name, '\0', NAME_SIZE));
	fuzz_require(!observation->flow.name[0] == !observation->flow.name_source);
	if (observation->kind == OBSERVATION_START) {
		fuzz_require(id > watch->last_id);
		watch->last_id = id;
	}
	if (id >= FLOWS)
		return;
	fuzz_require(watch->is_open[id] == (observation->kind == OBSERVATION_CONNECTION));
	watch->is_open[id] = observation->kind == OBSERVATION_START;
}

/* The input: whose traffic it is, then frames: how long since the last (in 1/16 s, signed), the
 * length in two bytes, the frame. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct mac_address own = {{0x02, 0, 0, 0, 0, 0x02}};
	struct bytes rest = {bytes, size};
	struct tracker_config config = {.own_macs = &own, .own_mac_count = 1, .mac = own};
	struct tracker *tracker;
	struct watch watch = {0};
	uint64_t now_ns = UINT64_C(1700000000) * NS_PER_S;
	uint8_t subject;
	uint8_t step;
	uint16_t length;
	const uint8_t *frame;

	if (!bytes_take_u8(&rest, &subject))
		return 0;
	config.subject = subject & 1 ? TRACK_THIS_HOST : TRACK_MAC;
	config.deliver = note;
	config.context = &watch;
	if (tracker_new(&config, &tracker) < 0)
		return 0;
	while (bytes_take_u8(&rest, &step) && bytes_take_be16(&rest, &length)) {
		struct packet packet;

		if (length > rest.left)
			length = (uint16_t)rest.left;
		(void)bytes_take(&rest, length, &frame);
		now_ns += (uint64_t)((int64_t)(int8_t)step * (int64_t)(NS_PER_S / 16));
		if (packet_decode(subject & 2 ? DLT_LINUX_SLL : DLT_EN10MB, frame, length, length,
				  &packet) == 0)
			tracker_packet(tracker, &packet, now_ns);
	}
	tracker_finish(tracker);
	for (size_t i = 0; i < FLOWS; i++)
		fuzz_require(!watch.is_open[i]);
	tracker_free(tracker);
	return 0;
}
