/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include <errno.h>
#include <stdbool.h>

#include <pcap/dlt.h>

#include "base/cleanup.h"
#include "observe/network/packet.h"

static const int link_types[] = {
	DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_RAW, DLT_IPV4, DLT_IPV6, DLT_NULL, DLT_LOOP,
};

/* The input: which link type, how many bytes the capture left out, the frame. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct packet packet;
	size_t captured;
	int error;

	if (size < 2)
		return 0;
	captured = size - 2;
	error = packet_decode(link_types[bytes[0] % array_length(link_types)], bytes + 2, captured,
			      captured + bytes[1], &packet);
	fuzz_require(error == 0 || error == -EBADMSG);
	if (error < 0 || packet.kind == PACKET_IGNORED)
		return 0;
	fuzz_require(packet.payload >= bytes + 2);
	fuzz_require(packet.payload_size <= captured);
	fuzz_require(packet.payload + packet.payload_size <= bytes + size);
	fuzz_require(packet.kind == PACKET_ARP ||
		     packet.source.family == packet.destination.family);
	fuzz_require(!packet.has_ports || packet.fragment_offset == 0);
	for (size_t i = 0; i < packet.payload_size; i++)
		*(volatile uint8_t *)&packet.tcp_flags = packet.payload[i];
	return 0;
}
