/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <pcap/dlt.h>
#include <string.h>

#include "base/bytes.h"
#include "gate/checksum.h"
#include "gate/dns_record.h"
#include "gate/dns_streams.h"
#include "gate/reader.h"
#include "observe/network/packet.h"
#include "rules/program.h"

enum {
	IPV4_HEADER_SIZE = 20,
	IPV6_HEADER_SIZE = 40,
	UDP_HEADER_SIZE = 8,
	UDP_LENGTH_AT = 4,
	UDP_CHECKSUM_AT = 6,
};

static void set_ends(struct observed_flow *flow, uint8_t way, const struct ip_address *source,
		     const struct ip_address *destination)
{
	flow->local = way == HELD_IN ? *destination : *source;
	flow->remote = way == HELD_IN ? *source : *destination;
}

static void set_flow(struct observed_flow *flow, uint8_t way, const struct packet *packet)
{
	set_ends(flow, way, &packet->source, &packet->destination);
	flow->protocol = packet->protocol;
	flow->icmp_type = packet->icmp_type;
	flow->local_port = way == HELD_IN ? packet->destination_port : packet->source_port;
	flow->remote_port = way == HELD_IN ? packet->source_port : packet->destination_port;
}

/* Of a packet that cannot be taken apart, what its first header says. */
static void guess_flow(struct observed_flow *flow, uint8_t way, const uint8_t *packet, size_t size)
{
	struct ip_address source, destination;

	if (size >= IPV4_HEADER_SIZE && packet[0] >> 4 == 4) {
		memset(&source, 0, sizeof(source));
		source.family = 4;
		destination = source;
		memcpy(source.bytes, packet + 12, 4);
		memcpy(destination.bytes, packet + 16, 4);
		flow->protocol = packet[9];
	} else if (size >= IPV6_HEADER_SIZE && packet[0] >> 4 == 6) {
		source.family = 6;
		destination.family = 6;
		memcpy(source.bytes, packet + 8, 16);
		memcpy(destination.bytes, packet + 24, 16);
		flow->protocol = packet[6];
	} else {
		return;
	}
	set_ends(flow, way, &source, &destination);
}

static bool take_packet(struct held *held, uint8_t way, const uint8_t *bytes, size_t size,
			struct packet *ret_packet)
{
	memset(held, 0, sizeof(*held));
	held->way = way;
	if (packet_decode(DLT_RAW, bytes, size, size, ret_packet) < 0 ||
	    ret_packet->kind != PACKET_IP) {
		guess_flow(&held->flow, way, bytes, size);
		return false;
	}
	set_flow(&held->flow, way, ret_packet);
	return true;
}

/* Where the transport header begins, in a packet as resolvers and those who ask them make it: no IP
 * options, no extension headers, nothing behind the end, whole. 0 for any other: whoever wants to
 * answer in its place could not, and what is not looked at would pass. */
static size_t plain_header_size(const struct packet *packet, const uint8_t *bytes, size_t size)
{
	if (packet->fragment || !packet->has_ports || packet->payload_missing > 0 ||
	    packet->payload + packet->payload_size != bytes + size)
		return 0;
	if (packet->source.family == 4)
		return (bytes[0] & 0xf) * 4U == IPV4_HEADER_SIZE ? IPV4_HEADER_SIZE : 0;
	return bytes[6] == packet->protocol ? IPV6_HEADER_SIZE : 0;
}

/* What the stack would throw away must not be taken for an answer. */
static bool checksum_is_right(const struct packet *packet, const uint8_t *transport, size_t size)
{
	/* RFC 768: none; RFC 8200 section 8.1: not so in IPv6 */
	if (packet->protocol == IPPROTO_UDP && packet->source.family == 4 &&
	    be16_at(transport + UDP_CHECKSUM_AT) == 0)
		return true;
	return checksum_of_transport(&packet->source, &packet->destination, packet->protocol,
				     transport, size) == 0;
}

static bool is_dns(const struct packet *packet, const struct held *held, const uint8_t *bytes,
		   size_t size)
{
	size_t header_size = plain_header_size(packet, bytes, size);

	if (header_size == 0 || held->flow.remote_port != NS_DEFAULTPORT ||
	    held->way == HELD_FORWARD)
		return false;
	if (packet->protocol == IPPROTO_UDP &&
	    be16_at(bytes + header_size + UDP_LENGTH_AT) != UDP_HEADER_SIZE + packet->payload_size)
		return false;
	return held->way == HELD_OUT ||
	       checksum_is_right(packet, bytes + header_size, size - header_size);
}

static size_t take_names(struct dns_streams *streams, const struct packet *packet,
			 const uint8_t *bytes, size_t size, struct held held[HELD_PER_PACKET])
{
	held[0].over_tcp = held[0].flow.protocol == IPPROTO_TCP;
	if (is_dns(packet, &held[0], bytes, size)) {
		if (packet->protocol == IPPROTO_TCP)
			return dns_streams_segment(streams, packet, held);
		if (packet->protocol == IPPROTO_UDP &&
		    dns_record_read(packet->payload, packet->payload_size, &held[0]))
			return 1;
	}
	dns_record_clear(&held[0], HELD_UNREADABLE);
	return 1;
}

size_t reader_take_apart(struct dns_streams *streams, uint8_t queue, uint8_t way,
			 const uint8_t *bytes, size_t size, struct held held[HELD_PER_PACKET])
{
	struct packet packet;
	bool readable = take_packet(&held[0], way, bytes, size, &packet);

	held[0].queue = queue;
	if (queue != RULE_QUEUE_NAMES) {
		held[0].kind = HELD_FLOW;
		return 1;
	}
	if (readable)
		return take_names(streams, &packet, bytes, size, held);
	held[0].over_tcp = held[0].flow.protocol == IPPROTO_TCP;
	held[0].kind = HELD_UNREADABLE;
	return 1;
}

void reader_take_refused(uint8_t way, const uint8_t *packet, size_t size, struct held *ret_held)
{
	struct packet decoded;

	(void)take_packet(ret_held, way, packet, size, &decoded);
	ret_held->kind = HELD_REFUSED;
}
