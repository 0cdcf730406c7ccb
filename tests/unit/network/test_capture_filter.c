/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pcap/pcap.h>

#include "base/cleanup.h"
#include "frame_builder.h"
#include "observe/network/capture_filter.h"

/* One packet: what is in it, and whether somebody should look at it. */
struct kind {
	const char *name;
	uint8_t protocol;
	uint16_t port; /* the destination's */
	uint8_t flags; /* TCP */
	const char *payload;
	size_t payload_size; /* filled up with zeros */
	bool passes;
};

#define HELLO "\x16\x03\x01\x02\x00\x01"

static const struct kind kinds[] = {
	{"SYN", IPPROTO_TCP, 80, TH_SYN, "", 0, true},
	{"SYN with data", IPPROTO_TCP, 80, TH_SYN, "x", 600, true},
	{"SYN ACK", IPPROTO_TCP, 40000, TH_SYN | TH_ACK, "", 0, true},
	{"FIN", IPPROTO_TCP, 80, TH_FIN | TH_ACK, "", 0, true},
	{"RST", IPPROTO_TCP, 80, TH_RST, "", 0, true},
	{"bare ACK", IPPROTO_TCP, 443, TH_ACK, "", 0, false},
	{"data", IPPROTO_TCP, 80, TH_ACK, "GET / HTTP/1.1", 1400, false},
	{"short data", IPPROTO_TCP, 80, TH_ACK | TH_PUSH, "GET / HTTP/1.1", 14, false},
	{"DNS data", IPPROTO_TCP, 53, TH_ACK, "", 1400, true},
	{"ClientHello", IPPROTO_TCP, 8444, TH_ACK | TH_PUSH, HELLO, 517, true},
	{"first part of a ClientHello", IPPROTO_TCP, 443, TH_ACK, HELLO, 1448, true},
	{"second part of a ClientHello", IPPROTO_TCP, 443, TH_ACK | TH_PUSH, "\x31\x32", 400, true},
	{"upload", IPPROTO_TCP, 443, TH_ACK | TH_PUSH, "\x17\x03\x03", 1448, false},
	{"application data", IPPROTO_TCP, 40000, TH_ACK, "\x17\x03\x03", 1448, false},
	{"TLS 2.0 there is none", IPPROTO_TCP, 40000, TH_ACK, "\x16\x02\x03", 517, false},
	{"UDP", IPPROTO_UDP, 5004, 0, "x", 1200, true},
	{"QUIC", IPPROTO_UDP, 443, 0, "\x40", 1200, true},
	{"ICMP", IPPROTO_ICMP, 0, 0, "", 8, true},
	{"ICMPv6", IPPROTO_ICMPV6, 0, 0, "", 8, true},
	{"IGMP", IPPROTO_IGMP, 0, 0, "", 8, true},
	{"SCTP", IPPROTO_SCTP, 9, 0, "", 8, true},
	{"GRE", IPPROTO_GRE, 0, 0, "", 8, true},
};

enum { IPV4_HEADER = 20, IPV6_HEADER = 40, OPTIONS = 12 };

static void put_transport(struct frame *frame, const struct kind *kind)
{
	size_t begin;

	if (kind->protocol == IPPROTO_TCP) {
		put_be16(frame, 50000);
		put_be16(frame, kind->port);
		put_zeros(frame, 8);
		put_u8(frame, (20 + OPTIONS) / 4 << 4);
		put_u8(frame, kind->flags);
		put_zeros(frame, 6 + OPTIONS);
	} else if (kind->protocol == IPPROTO_UDP) {
		put_be16(frame, 50000);
		put_be16(frame, kind->port);
		put_be16(frame, 8 + kind->payload_size);
		put_be16(frame, 0);
	}
	begin = frame->size;
	put_bytes(frame, kind->payload, strlen(kind->payload));
	if (frame->size - begin < kind->payload_size)
		put_zeros(frame, kind->payload_size - (frame->size - begin));
}

static size_t transport_size(const struct kind *kind)
{
	static struct frame frame;

	frame.size = 0;
	put_transport(&frame, kind);
	return frame.size;
}

static void put_ipv4(struct frame *frame, const struct kind *kind, unsigned int fragment)
{
	put_be16(frame, 0x4500);
	put_be16(frame, (unsigned int)(IPV4_HEADER + transport_size(kind)));
	put_be16(frame, 1);
	put_be16(frame, fragment);
	put_u8(frame, 64);
	put_u8(frame, kind->protocol);
	put_be16(frame, 0);
	put_be32(frame, 0xc0000201);
	put_be32(frame, 0xc0000202);
	put_transport(frame, kind);
}

/* hop_by_hop: with one extension header of eight bytes. */
static void put_ipv6(struct frame *frame, const struct kind *kind, bool hop_by_hop)
{
	put_be32(frame, 0x60000000);
	put_be16(frame, (unsigned int)(transport_size(kind) + (hop_by_hop ? 8 : 0)));
	put_u8(frame, hop_by_hop ? 0 : kind->protocol);
	put_u8(frame, 64);
	put_zeros(frame, 32);
	if (hop_by_hop) {
		put_u8(frame, kind->protocol);
		put_zeros(frame, 7);
	}
	put_transport(frame, kind);
}

static void put_link(struct frame *frame, int link_type, unsigned int ethertype)
{
	switch (link_type) {
	case DLT_EN10MB:
		put_zeros(frame, 12);
		put_be16(frame, ethertype);
		break;
	case DLT_LINUX_SLL:
		put_zeros(frame, 14);
		put_be16(frame, ethertype);
		break;
	case DLT_LINUX_SLL2:
		put_be16(frame, ethertype);
		put_zeros(frame, 18);
		break;
	default: /* raw IP */
		break;
	}
}

static const int link_types[] = {DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_RAW};

static bool passes(int link_type, const struct frame *frame)
{
	const struct pcap_pkthdr header = {.caplen = (bpf_u_int32)frame->size,
					   .len = (bpf_u_int32)frame->size};
	pcap_t *pcap = pcap_open_dead(link_type, 65535);
	struct bpf_program program;
	bool result;

	assert_non_null(pcap);
	if (pcap_compile(pcap, &program, CAPTURE_FILTER, 1, PCAP_NETMASK_UNKNOWN) < 0)
		fail_msg("%s", pcap_geterr(pcap));
	result = pcap_offline_filter(&program, &header, frame->bytes) != 0;
	pcap_freecode(&program);
	pcap_close(pcap);
	return result;
}

static void judges_alike_on_every_link_and_family(void **state)
{
	static struct frame frame;

	(void)state;
	for (size_t i = 0; i < array_length(kinds); i++) {
		for (size_t j = 0; j < array_length(link_types); j++) {
			frame.size = 0;
			put_link(&frame, link_types[j], 0x0800);
			put_ipv4(&frame, &kinds[i], 0x4000);
			if (passes(link_types[j], &frame) != kinds[i].passes)
				fail_msg("%s, IPv4, link type %d", kinds[i].name, link_types[j]);
			frame.size = 0;
			put_link(&frame, link_types[j], 0x86dd);
			put_ipv6(&frame, &kinds[i], false);
			if (passes(link_types[j], &frame) != kinds[i].passes)
				fail_msg("%s, IPv6, link type %d", kinds[i].name, link_types[j]);
		}
	}
}

/* What hides the transport header from the filter is left to the decoder. */
static void lets_through_what_it_cannot_judge(void **state)
{
	static const unsigned int fragments[] = {0x2000, 0x2001, 0x0001, 0x1fff};
	static const unsigned int wrappers[] = {0x8100, 0x88a8, 0x9100, 0x8864, 0x0806};
	static struct frame frame;

	(void)state;
	for (size_t i = 0; i < array_length(kinds); i++) {
		for (size_t j = 0; j < array_length(fragments); j++) {
			frame.size = 0;
			put_link(&frame, DLT_EN10MB, 0x0800);
			put_ipv4(&frame, &kinds[i], fragments[j]);
			assert_true(passes(DLT_EN10MB, &frame));
		}
		for (size_t j = 0; j < array_length(wrappers); j++) {
			frame.size = 0;
			put_link(&frame, DLT_EN10MB, wrappers[j]);
			put_be32(&frame, 7 << 16 | 0x0800);
			put_ipv4(&frame, &kinds[i], 0x4000);
			assert_true(passes(DLT_EN10MB, &frame));
		}
		frame.size = 0;
		put_link(&frame, DLT_EN10MB, 0x86dd);
		put_ipv6(&frame, &kinds[i], true);
		assert_true(passes(DLT_EN10MB, &frame));
	}
}

static void leaves_out_other_protocols_than_ip(void **state)
{
	static const unsigned int others[] = {0x88cc /* LLDP */, 0x888e /* EAPOL */, 0x0026};
	static struct frame frame;

	(void)state;
	for (size_t i = 0; i < array_length(others); i++) {
		frame.size = 0;
		put_link(&frame, DLT_EN10MB, others[i]);
		put_zeros(&frame, 100);
		assert_false(passes(DLT_EN10MB, &frame));
	}
}

/* SYN ACKs without options are as short as packets get. */
static void reads_short_packets(void **state)
{
	static struct frame frame;

	(void)state;
	put_link(&frame, DLT_RAW, 0);
	put_ipv4(&frame, &kinds[0], 0);
	frame.bytes[IPV4_HEADER + 12] = 5 << 4;
	frame.size = IPV4_HEADER + 20;
	assert_true(passes(DLT_RAW, &frame));
	frame.size = 0;
	put_ipv6(&frame, &kinds[0], false);
	frame.bytes[IPV6_HEADER + 12] = 5 << 4;
	frame.size = IPV6_HEADER + 20;
	assert_true(passes(DLT_RAW, &frame));
}

static void compiles_for_every_link_type(void **state)
{
	static const int others[] = {DLT_IPV4, DLT_IPV6, DLT_NULL, DLT_LOOP};
	static struct frame frame;

	(void)state;
	put_zeros(&frame, 100);
	for (size_t i = 0; i < array_length(others); i++)
		(void)passes(others[i], &frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_alike_on_every_link_and_family),
		cmocka_unit_test(lets_through_what_it_cannot_judge),
		cmocka_unit_test(leaves_out_other_protocols_than_ip),
		cmocka_unit_test(reads_short_packets),
		cmocka_unit_test(compiles_for_every_link_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
