/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pcap/dlt.h>

#include <cmocka.h>

#include "frame_builder.h"
#include "observe/network/packet.h"

static const uint8_t source_mac[] = {0x94, 0x10, 0x3e, 0x35, 0x01, 0xc1};
static const uint8_t gateway_mac[] = {0x02, 0, 0, 0, 0, 1};
static const uint8_t ipv6_source[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
static const uint8_t ipv6_destination[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 2};

static void put_ethernet(struct frame *frame, unsigned int ethertype)
{
	put_bytes(frame, gateway_mac, 6);
	put_bytes(frame, source_mac, 6);
	put_be16(frame, ethertype);
}

static void put_vlan(struct frame *frame, unsigned int id, unsigned int ethertype)
{
	put_be16(frame, 0x2000 | id);
	put_be16(frame, ethertype);
}

/* 192.0.2.1 to 198.51.100.7, options_size a multiple of 4 */
static void put_ipv4(struct frame *frame, unsigned int protocol, unsigned int fragment,
		     unsigned int options_size, unsigned int payload_size)
{
	put_u8(frame, 0x45 + options_size / 4);
	put_u8(frame, 0);
	put_be16(frame, 20 + options_size + payload_size);
	put_be16(frame, 0xbeef);
	put_be16(frame, fragment);
	put_u8(frame, 63);
	put_u8(frame, protocol);
	put_be16(frame, 0);
	put_bytes(frame, "\xc0\x00\x02\x01\xc6\x33\x64\x07", 8);
	put_zeros(frame, options_size);
}

static void put_ipv6(struct frame *frame, unsigned int protocol, unsigned int payload_size)
{
	put_be32(frame, 0x60000000);
	put_be16(frame, payload_size);
	put_u8(frame, protocol);
	put_u8(frame, 62);
	put_bytes(frame, ipv6_source, 16);
	put_bytes(frame, ipv6_destination, 16);
}

static void put_extension(struct frame *frame, unsigned int next, unsigned int length_field,
			  unsigned int size)
{
	put_u8(frame, next);
	put_u8(frame, length_field);
	put_zeros(frame, size - 2);
}

static void put_ipv6_fragment(struct frame *frame, unsigned int next, unsigned int offset_and_more)
{
	put_u8(frame, next);
	put_u8(frame, 0);
	put_be16(frame, offset_and_more);
	put_be32(frame, 0xfeedc0de);
}

static void put_tcp(struct frame *frame, unsigned int flags, unsigned int options_size)
{
	put_be16(frame, 40000);
	put_be16(frame, 443);
	put_be32(frame, 0x01020304);
	put_be32(frame, 0);
	put_u8(frame, (5 + options_size / 4) << 4);
	put_u8(frame, flags);
	put_zeros(frame, 6 + options_size);
}

static void put_udp(struct frame *frame, unsigned int payload_size)
{
	put_be16(frame, 40001);
	put_be16(frame, 53);
	put_be16(frame, 8 + payload_size);
	put_be16(frame, 0);
}

static int decode(int link_type, const struct frame *frame, struct packet *packet)
{
	return packet_decode(link_type, frame->bytes, frame->size, frame->size, packet);
}

static void assert_payload(const struct frame *frame, const struct packet *packet, size_t offset,
			   size_t size, size_t missing)
{
	assert_ptr_equal(packet->payload, frame->bytes + offset);
	assert_int_equal(packet->payload_size, size);
	assert_int_equal(packet->payload_missing, missing);
}

static void assert_addresses(const struct packet *packet, const char *source,
			     const char *destination)
{
	char text[IP_TEXT_SIZE];

	ip_format(&packet->source, text);
	assert_string_equal(text, source);
	ip_format(&packet->destination, text);
	assert_string_equal(text, destination);
}

static void tcp_over_ipv4_with_options(void **state)
{
	struct frame frame = {.size = 0};
	struct packet packet;

	(void)state;
	put_ethernet(&frame, ETH_P_IP);
	put_ipv4(&frame, IPPROTO_TCP, 0x4000, 8, 20 + 12 + 5);
	put_tcp(&frame, TH_SYN | TH_PUSH, 12);
	put_bytes(&frame, "hello", 5);
	assert_int_equal(decode(DLT_EN10MB, &frame, &packet), 0);
	assert_int_equal(packet.kind, PACKET_IP);
	assert_true(packet.has_source_mac && packet.has_destination_mac);
	assert_memory_equal(packet.source_mac.bytes, source_mac, 6);
	assert_memory_equal(packet.destination_mac.bytes, gateway_mac, 6);
	assert_addresses(&packet, "192.0.2.1", "198.51.100.7");
	assert_int_equal(packet.protocol, IPPROTO_TCP);
	assert_int_equal(packet.ttl, 63);
	assert_false(packet.fragment);
	assert_true(packet.has_ports);
	assert_int_equal(packet.source_port, 40000);
	assert_int_equal(packet.destination_port, 443);
	assert_int_equal(packet.tcp_flags, TH_SYN | TH_PUSH);
	assert_int_equal(packet.tcp_sequence, 0x01020304);
	assert_int_equal(packet.vlan, 0);
	assert_payload(&frame, &packet, 14 + 28 + 32, 5, 0);
}

static void padding_is_no_payload(void **state)
{
	struct frame frame = {.size = 0};
	struct packet packet;

	(void)state;
	put_ethernet(&frame, ETH_P_IP);
	put_ipv4(&frame, IPPROTO_UDP, 0, 0, 8 + 2);
	put_udp(&frame, 2);
	put_bytes(&frame, "hi", 2);
	put_zeros(&frame, 60 - frame.size);
	assert_int_equal(decode(DLT_EN10MB, &frame, &packet), 0);
	assert_payload(&frame, &packet, 42, 2, 0);

	/* UDP's own length is the smaller one */
	set_be16(&frame, 16, 46);
	assert_int_equal(decode(DLT_EN10MB, &frame, &packet), 0);
	assert_payload(&frame, &packet, 42, 2, 0);
	/* and must not be the larger one */
	set_be16(&frame, 16, 29);
	assert_int_equal(decode(DLT_EN10MB, &frame, &packet), -EBADMSG);
	set_be16(&frame, 16, 46);
	set_be16(&frame, 38, 7);
	assert_int_equal(decode(DLT_EN10MB, &frame, &packet), -EBADMSG);
}

static void a_total_length_of_0_means_all_there_is(void **state)
{
	struct frame frame = {.size = 0};
	struct packet packet;

	(void)state;
	put_ethernet(&frame, ETH_P_IP);
	put_ipv4(&frame, IPPROTO_TCP, 0, 0, 0);
	put_tcp(&frame, TH_ACK, 0);
	put_zeros(&frame, 2000);
	set_be16(&frame, 16, 0);
	assert_int_equal(decode(DLT_EN10MB, &frame, &packet), 0);
	assert_payload(&frame, &packet, 54, 2000, 0);
	assert_int_equal(
		packet_decode(DLT_EN10MB, frame.bytes, frame.size, frame.size + 70000, &packet), 0);
	assert_payload(&frame, &packet, 54, 2000, 70000);
}

static void a_short_capture_says_what_is_missing(void **state)
{
	struct frame frame = {.size = 0};
	struct packet packet;

	(void)state;
	put_ethernet(&frame, ETH_P_IP);
	put_ipv4(&frame, IPPROTO_TCP, 0, 4, 20 + 12 + 1000);
	put_tcp(&frame, TH_SYN, 12);
	put_zeros(&frame, 1000);
	for (size_t cut = 0; cut <= frame.size; cut++) {
		int error = packet_decode(DLT_EN10MB, frame.bytes, cut, frame.size, &packet);

		if (cut < 14 + 24 + 20) {
			assert_int_equal(error, -EBADMSG);
			continue;
		}
		assert_int_equal(error, 0);
		assert_int_equal(packet.destination_port, 443);
		assert_int_equal(packet.tcp_flags, TH_SYN);
		assert_int_equal(packet.payload_size, cut > 70 ? cut - 70 : 0);
		assert_int_equal(packet.payload_size + packet.payload_missing, 1000);
	}
	/* the same where the capture hides that it was cut */
	assert_int_equal(packet_decode(DLT_EN10MB, frame.bytes, 100, 100, &packet), 0);
	assert_payload(&frame, &packet, 70, 30, 970);
}

static void vlan_tags_stack(void **state)
{
	struct frame frame = {.size = 0};
	struct packet packet;

	(void)state;
	put_ethernet(&frame, ETH_P_8021AD);
	put_vlan(&frame, 100, ETH_P_8021Q);
	put_vlan(&frame, 7, ETH_P_8021Q);
	put_vlan(&frame, 0, ETH_P_IP);
	put_ipv4(&frame, IPPROTO_UDP, 0, 0, 8);
	put_udp(&frame, 0);
	assert_int_equal(decode(DLT_EN10MB, &frame, &packet), 0);
	assert_int_equal(packet.vlan, 7);
	assert_int_equal(packet.destination_port, 53);

	frame.size = 0;
	put_ethernet(&frame, ETH_P_8021Q);
	for (unsigned int i = 0; i < 4; i++)
		put_vlan(&frame, i, ETH_P_8021Q);
	put_vlan(&frame, 4, ETH_P_IP);
	put_ipv4(&frame, IPPROTO_UDP, 0, 0, 8);
	put_udp(&frame, 0);
	assert_int_equal(decode(DLT_EN10MB, &frame, &packet), -EBADMSG);
}

static void pppoe_sessions_are_looked_into(void **state)
{
	struct frame frame = {.size = 0};
	struct packet packet;

	(void)state;
	put_ethernet(&frame, ETH_P_PPP_SES);
	put_bytes(&frame, "\x11\x00\x00\x2a", 4);
	put_be16(&frame, 2 + 20 + 8);
	put_be16(&frame, 0x0021);
	put_ipv4(&frame, IPPROTO_UDP, 0, 0, 8);
	put_udp(&frame, 0);
	put_zeros(&frame, 10);
	assert_int_equal(decode(DLT_EN10MB, &frame, &packet), 0);
	assert_int_equal(packet.kind, PACKET_IP);
	assert_int_equal(packet.destination_port, 53);
	assert_payload(&frame, &packet, 50, 0, 0);

	/* link control */
	set_be16(&frame, 20, 0xc021);
	assert_int_equal(decode(DLT_EN10MB, &frame, &packet), 0);
	assert_int_equal(packet.kind, PACKET_IGNORED);
}

static void arp_is_handed_on_whole(void **state)
{
	struct frame frame = {.size = 0};
	struct packet packet;

	(void)state;
	put_ethernet(&frame, ETH_P_ARP);
	put_bytes(&frame, "\0\1\x08\0\6\4\0\1", 8);
	put_zeros(&frame, 20 + 18);
	assert_int_equal(decode(DLT_EN10MB, &frame, &packet), 0);
	assert_int_equal(packet.kind, PACKET_ARP);
	assert_payload(&frame, &packet, 14, 28, 0);
	assert_int_equal(packet_decode(DLT_EN10MB, frame.bytes, 14 + 27, 60, &packet), -EBADMSG);
}

static void what_is_no_ip_is_ignored(void **state)
{
	static const unsigned int ethertypes[] = {0x88cc, 0x888e, 0x8863, 0x0026, 0x86de};
	struct packet packet;

	(void)state;
	for (size_t i = 0; i < sizeof(ethertypes) / sizeof(ethertypes[0]); i++) {
		struct frame frame = {.size = 0};

		put_ethernet(&frame, ethertypes[i]);
		assert_int_equal(decode(DLT_EN10MB, &frame, &packet), 0);
		assert_int_equal(packet.kind, PACKET_IGNORED);
		assert_true(packet.has_source_mac);
	}
}

static void ipv4_fragments_have_ports_only_in_front(void **state)
{
	struct frame frame = {.size = 0};
	struct packet packet;

	(void)state;
	put_ipv4(&frame, IPPROTO_UDP, 0x2000, 0, 1480);
	put_udp(&frame, 3000);
	put_zeros(&frame, 1472);
	assert_int_equal(decode(DLT_RAW, &frame, &packet), 0);
	assert_true(packet.fragment && packet.fragment_follows && packet.has_ports);
	assert_int_equal(packet.fragment_id, 0xbeef);
	assert_payload(&frame, &packet, 28, 1472, 0);

	frame.size = 0;
	put_ipv4(&frame, IPPROTO_UDP, 185, 0, 1536);
	put_zeros(&frame, 1536);
	assert_int_equal(decode(DLT_IPV4, &frame, &packet), 0);
	assert_true(packet.fragment);
	assert_false(packet.fragment_follows || packet.has_ports);
	assert_int_equal(packet.fragment_offset, 1480);
	assert_int_equal(packet.protocol, IPPROTO_UDP);
	assert_payload(&frame, &packet, 20, 1536, 0);
}

static void ipv6_extension_headers_are_walked_over(void **state)
{
	struct frame frame = {.size = 0};
	struct packet packet;

	(void)state;
	put_ethernet(&frame, ETH_P_IPV6);
	put_ipv6(&frame, IPPROTO_HOPOPTS, 8 + 16 + 24 + 24 + 8 + 4);
	put_extension(&frame, IPPROTO_DSTOPTS, 0, 8);
	put_extension(&frame, IPPROTO_ROUTING, 1, 16);
	put_extension(&frame, IPPROTO_AH, 2, 24);
	put_extension(&frame, IPPROTO_UDP, 4, 24); /* counts fours, less two */
	put_udp(&frame, 4);
	put_bytes(&frame, "ping", 4);
	assert_int_equal(decode(DLT_EN10MB, &frame, &packet), 0);
	assert_addresses(&packet, "2001:db8::1", "2001:db8::2");
	assert_int_equal(packet.protocol, IPPROTO_UDP);
	assert_int_equal(packet.ttl, 62);
	assert_int_equal(packet.destination_port, 53);
	assert_payload(&frame, &packet, 14 + 40 + 72 + 8, 4, 0);
	for (size_t cut = 0; cut < 14 + 40 + 72 + 8; cut++)
		assert_int_equal(packet_decode(DLT_EN10MB, frame.bytes, cut, frame.size, &packet),
				 -EBADMSG);
}

static void ipv6_extension_chains_have_an_end(void **state)
{
	struct frame frame = {.size = 0};
	struct packet packet;

	(void)state;
	put_ipv6(&frame, IPPROTO_DSTOPTS, 9 * 8 + 8);
	for (unsigned int i = 0; i < 8; i++)
		put_extension(&frame, IPPROTO_DSTOPTS, 0, 8);
	put_extension(&frame, IPPROTO_UDP, 0, 8);
	put_udp(&frame, 0);
	assert_int_equal(decode(DLT_RAW, &frame, &packet), -EBADMSG);
	frame.bytes[40 + 7 * 8] = IPPROTO_ICMPV6;
	assert_int_equal(decode(DLT_RAW, &frame, &packet), 0);
	assert_int_equal(packet.protocol, IPPROTO_ICMPV6);
}

static void ipv6_fragments(void **state)
{
	struct frame frame = {.size = 0};
	struct packet packet;

	(void)state;
	put_ipv6(&frame, IPPROTO_FRAGMENT, 8 + 16);
	put_ipv6_fragment(&frame, IPPROTO_UDP, 0x0001);
	put_udp(&frame, 100);
	put_zeros(&frame, 8);
	assert_int_equal(decode(DLT_IPV6, &frame, &packet), 0);
	assert_true(packet.fragment && packet.fragment_follows && packet.has_ports);
	assert_true(packet.fragment_id == 0xfeedc0de);
	assert_payload(&frame, &packet, 56, 8, 0);

	/* a later one whose bytes look like another extension header */
	frame.size = 0;
	put_ipv6(&frame, IPPROTO_FRAGMENT, 8 + 16);
	put_ipv6_fragment(&frame, IPPROTO_DSTOPTS, 16);
	put_extension(&frame, IPPROTO_TCP, 0, 16);
	assert_int_equal(decode(DLT_IPV6, &frame, &packet), 0);
	assert_true(packet.fragment);
	assert_false(packet.has_ports);
	assert_int_equal(packet.fragment_offset, 16);
	assert_int_equal(packet.protocol, IPPROTO_DSTOPTS);
	assert_payload(&frame, &packet, 48, 16, 0);

	/* RFC 6946: alone it is no fragment */
	frame.size = 0;
	put_ipv6(&frame, IPPROTO_FRAGMENT, 8 + 8);
	put_ipv6_fragment(&frame, IPPROTO_UDP, 0);
	put_udp(&frame, 0);
	assert_int_equal(decode(DLT_IPV6, &frame, &packet), 0);
	assert_false(packet.fragment);
	assert_true(packet.has_ports);
}

static void ipv6_lengths(void **state)
{
	struct frame frame = {.size = 0};
	struct packet packet;

	(void)state;
	/* RFC 8200 section 4.7: nothing behind it counts */
	put_ipv6(&frame, IPPROTO_NONE, 0);
	put_zeros(&frame, 6);
	assert_int_equal(decode(DLT_RAW, &frame, &packet), 0);
	assert_int_equal(packet.kind, PACKET_IP);
	assert_int_equal(packet.protocol, IPPROTO_NONE);
	assert_payload(&frame, &packet, 40, 0, 0);

	/* a jumbo segment before offload */
	frame.size = 0;
	put_ipv6(&frame, IPPROTO_TCP, 0);
	put_tcp(&frame, TH_ACK, 0);
	put_zeros(&frame, 3000);
	assert_int_equal(decode(DLT_RAW, &frame, &packet), 0);
	assert_payload(&frame, &packet, 60, 3000, 0);
}

static void other_transports(void **state)
{
	struct frame frame = {.size = 0};
	struct packet packet;

	(void)state;
	put_ipv4(&frame, IPPROTO_ICMP, 0, 0, 8);
	put_bytes(&frame, "\x08\x01\0\0\0\1\0\2", 8);
	assert_int_equal(decode(DLT_RAW, &frame, &packet), 0);
	assert_int_equal(packet.icmp_type, 8);
	assert_int_equal(packet.icmp_code, 1);
	assert_false(packet.has_ports);
	assert_payload(&frame, &packet, 24, 4, 0);

	frame.size = 0;
	put_ipv6(&frame, IPPROTO_ICMPV6, 8);
	put_bytes(&frame, "\x87\0\0\0\0\0\0\0", 8);
	assert_int_equal(decode(DLT_RAW, &frame, &packet), 0);
	assert_int_equal(packet.icmp_type, 135);

	frame.size = 0;
	put_ipv4(&frame, IPPROTO_UDPLITE, 0, 0, 8 + 5);
	put_be32(&frame, 0x30393039);
	put_be16(&frame, 8); /* coverage, no length */
	put_be16(&frame, 0);
	put_zeros(&frame, 5);
	assert_int_equal(decode(DLT_RAW, &frame, &packet), 0);
	assert_int_equal(packet.source_port, 12345);
	assert_payload(&frame, &packet, 28, 5, 0);

	for (unsigned int chunk = 0; chunk < 4; chunk++) {
		frame.size = 0;
		put_ipv4(&frame, IPPROTO_SCTP, 0, 0, 16);
		put_be16(&frame, 5000);
		put_be16(&frame, 5001);
		put_zeros(&frame, 8);
		put_be32(&frame, chunk << 24);
		assert_int_equal(decode(DLT_RAW, &frame, &packet), 0);
		assert_int_equal(packet.destination_port, 5001);
		assert_int_equal(packet.sctp_init, chunk == 1);
		assert_int_equal(packet.sctp_init_ack, chunk == 2);
		assert_payload(&frame, &packet, 32, 4, 0);
	}

	frame.size = 0;
	put_ipv4(&frame, IPPROTO_ESP, 0, 0, 3);
	put_zeros(&frame, 3);
	assert_int_equal(decode(DLT_RAW, &frame, &packet), 0);
	assert_int_equal(packet.kind, PACKET_IP);
	assert_int_equal(packet.protocol, IPPROTO_ESP);
	assert_false(packet.has_ports);
	assert_payload(&frame, &packet, 20, 3, 0);
}

static void put_sll(struct frame *frame, unsigned int type, unsigned int hardware)
{
	put_be16(frame, type);
	put_be16(frame, hardware);
	put_be16(frame, 6);
	put_bytes(frame, source_mac, 6);
	put_zeros(frame, 2);
	put_be16(frame, ETH_P_IP);
}

static void put_sll2(struct frame *frame, unsigned int type, unsigned int hardware)
{
	put_be16(frame, ETH_P_IP);
	put_zeros(frame, 2);
	put_be32(frame, 3);
	put_be16(frame, hardware);
	put_u8(frame, type);
	put_u8(frame, 6);
	put_bytes(frame, source_mac, 6);
	put_zeros(frame, 2);
}

static void cooked_captures_know_the_direction(void **state)
{
	static const enum packet_direction directions[] = {
		PACKET_TO_US,	 PACKET_TO_BROADCAST, PACKET_TO_BROADCAST,
		PACKET_TO_OTHER, PACKET_FROM_US,      PACKET_DIRECTION_UNKNOWN,
	};
	struct packet packet;

	(void)state;
	for (unsigned int type = 0; type < 6; type++) {
		struct frame first = {.size = 0}, second = {.size = 0};

		put_sll(&first, type, 1);
		put_ipv4(&first, IPPROTO_UDP, 0, 0, 8);
		put_udp(&first, 0);
		assert_int_equal(decode(DLT_LINUX_SLL, &first, &packet), 0);
		assert_int_equal(packet.direction, directions[type]);
		assert_true(packet.has_source_mac);
		assert_false(packet.has_destination_mac || packet.loopback);
		assert_memory_equal(packet.source_mac.bytes, source_mac, 6);
		assert_int_equal(packet.destination_port, 53);
		assert_int_equal(packet.interface_index, 0);

		put_sll2(&second, type, 772);
		put_ipv4(&second, IPPROTO_UDP, 0, 0, 8);
		put_udp(&second, 0);
		assert_int_equal(decode(DLT_LINUX_SLL2, &second, &packet), 0);
		assert_int_equal(packet.direction, directions[type]);
		assert_true(packet.loopback);
		assert_false(packet.has_source_mac);
		assert_int_equal(packet.interface_index, 3);
		assert_int_equal(packet.destination_port, 53);
	}
}

static void null_links_name_the_family(void **state)
{
	static const uint8_t families[] = {10, 24, 28, 30};
	struct frame frame = {.size = 0};
	struct packet packet;

	(void)state;
	put_bytes(&frame, "\2\0\0\0", 4);
	put_ipv4(&frame, IPPROTO_ICMP, 0, 0, 4);
	put_zeros(&frame, 4);
	assert_int_equal(decode(DLT_NULL, &frame, &packet), 0);
	assert_int_equal(packet.source.family, 4);
	memcpy(frame.bytes, "\0\0\0\2", 4);
	assert_int_equal(decode(DLT_LOOP, &frame, &packet), 0);
	assert_int_equal(packet.source.family, 4);
	for (size_t i = 0; i < sizeof(families); i++) {
		frame.size = 0;
		put_u8(&frame, families[i]);
		put_zeros(&frame, 3);
		put_ipv6(&frame, IPPROTO_UDP, 8);
		put_udp(&frame, 0);
		assert_int_equal(decode(DLT_NULL, &frame, &packet), 0);
		assert_int_equal(packet.source.family, 6);
		assert_int_equal(packet.destination_port, 53);
	}
}

static void contradictions_are_refused(void **state)
{
	struct frame frame = {.size = 0};
	struct packet packet;

	(void)state;
	put_ipv4(&frame, IPPROTO_TCP, 0, 0, 20);
	put_tcp(&frame, TH_SYN, 0);
	assert_int_equal(decode(DLT_RAW, &frame, &packet), 0);
	assert_int_equal(decode(DLT_IPV6, &frame, &packet), -EBADMSG);
	assert_int_equal(decode(DLT_USB, &frame, &packet), -EPROTONOSUPPORT);
	assert_false(packet_link_type_is_supported(DLT_USB));
	assert_true(packet_link_type_is_supported(DLT_LINUX_SLL2));

	frame.bytes[0] = 0x44; /* a header of 16 bytes */
	frame.bytes[9] = IPPROTO_ESP;
	assert_int_equal(decode(DLT_RAW, &frame, &packet), -EBADMSG);
	frame.bytes[9] = IPPROTO_TCP;
	frame.bytes[0] = 0x4b; /* longer than the whole */
	assert_int_equal(decode(DLT_RAW, &frame, &packet), -EBADMSG);
	frame.bytes[0] = 0x75;
	assert_int_equal(decode(DLT_RAW, &frame, &packet), -EBADMSG);
	frame.bytes[0] = 0x45;
	set_be16(&frame, 2, 19);
	assert_int_equal(decode(DLT_RAW, &frame, &packet), -EBADMSG);
	set_be16(&frame, 2, 40);
	frame.bytes[32] = 0x40; /* a TCP header of 16 bytes */
	assert_int_equal(decode(DLT_RAW, &frame, &packet), -EBADMSG);
	frame.bytes[32] = 0x60; /* options beyond the packet's end */
	assert_int_equal(decode(DLT_RAW, &frame, &packet), -EBADMSG);
}

/* An address of the form ::ffff:a.b.c.d on the wire stays what it is: IPv6. */
static void mapped_addresses_stay_ipv6(void **state)
{
	struct frame frame = {.size = 0};
	struct packet packet;

	(void)state;
	put_ipv6(&frame, IPPROTO_UDP, 8);
	put_udp(&frame, 0);
	memset(frame.bytes + 24, 0, 16);
	memset(frame.bytes + 34, 0xff, 6);
	assert_int_equal(decode(DLT_RAW, &frame, &packet), 0);
	assert_int_equal(packet.destination.family, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_over_ipv4_with_options),
		cmocka_unit_test(padding_is_no_payload),
		cmocka_unit_test(a_total_length_of_0_means_all_there_is),
		cmocka_unit_test(a_short_capture_says_what_is_missing),
		cmocka_unit_test(vlan_tags_stack),
		cmocka_unit_test(pppoe_sessions_are_looked_into),
		cmocka_unit_test(arp_is_handed_on_whole),
		cmocka_unit_test(what_is_no_ip_is_ignored),
		cmocka_unit_test(ipv4_fragments_have_ports_only_in_front),
		cmocka_unit_test(ipv6_extension_headers_are_walked_over),
		cmocka_unit_test(ipv6_extension_chains_have_an_end),
		cmocka_unit_test(ipv6_fragments),
		cmocka_unit_test(ipv6_lengths),
		cmocka_unit_test(other_transports),
		cmocka_unit_test(cooked_captures_know_the_direction),
		cmocka_unit_test(null_links_name_the_family),
		cmocka_unit_test(contradictions_are_refused),
		cmocka_unit_test(mapped_addresses_stay_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
