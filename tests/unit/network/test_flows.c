/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "tracker_script.h"

#define PEER "192.168.1.9"

static void syn_starts_once(void **state)
{
	struct script script;

	(void)state;
	script_begin(&script);
	script_tcp(&script, STATION ":40000", PEER ":80", TH_SYN, 100);
	script_expect(&script, "connection tcp 192.168.1.9:80\n");
	for (int i = 0; i < 3; i++) {
		script_wait(&script, 1 << i);
		script_tcp(&script, STATION ":40000", PEER ":80", TH_SYN, 100);
	}
	script_tcp(&script, PEER ":80", STATION ":40000", TH_SYN | TH_ACK, 900);
	script_tcp(&script, STATION ":40000", PEER ":80", TH_ACK, 101);
	script_tcp(&script, STATION ":40000", PEER ":80", TH_FIN | TH_ACK, 101);
	script_expect(&script, "");
	script_tcp(&script, STATION ":40000", PEER ":80", TH_SYN, 5000);
	script_expect(&script, "connection tcp 192.168.1.9:80\n");
	script_wait(&script, 181);
	script_tcp(&script, STATION ":40000", PEER ":80", TH_SYN, 5000);
	script_expect(&script, "connection tcp 192.168.1.9:80\n");
	/* under way when the capture began */
	script_tcp(&script, STATION ":40001", PEER ":80", TH_ACK, 1);
	script_expect(&script, "");
	script_end(&script);
}

static void accepting_is_a_service(void **state)
{
	struct script script;

	(void)state;
	script_begin(&script);
	for (int i = 0; i < 2; i++) {
		script_tcp(&script, PEER ":5000", STATION ":80", TH_SYN, 1);
		script_tcp(&script, STATION ":80", PEER ":5000", TH_SYN | TH_ACK, 2);
		script_tcp(&script, PEER ":5000", STATION ":80", TH_ACK, 2);
		script_tcp(&script, STATION ":80", PEER ":5000", TH_ACK, 3);
	}
	script_expect(&script, "service tcp 80 for 192.168.1.9\n");
	script_tcp(&script, PEER ":5000", STATION ":80", TH_SYN, 77);
	script_tcp(&script, STATION ":80", PEER ":5000", TH_SYN | TH_ACK, 78);
	script_expect(&script, "service tcp 80 for 192.168.1.9\n");
	/* refused */
	script_tcp(&script, PEER ":5000", STATION ":81", TH_SYN, 1);
	script_tcp(&script, STATION ":81", PEER ":5000", TH_RST | TH_ACK, 0);
	script_expect(&script, "");
	/* the question was before the capture */
	script_tcp(&script, STATION ":82", PEER ":5000", TH_SYN | TH_ACK, 2);
	script_expect(&script, "service tcp 82 for 192.168.1.9\n");
	/* both at once (RFC 9293, 3.5) is no service */
	script_tcp(&script, STATION ":83", PEER ":83", TH_SYN, 1);
	script_tcp(&script, STATION ":83", PEER ":83", TH_SYN | TH_ACK, 1);
	script_expect(&script, "connection tcp 192.168.1.9:83\n");
	script_end(&script);
}

static void first_datagram_decides(void **state)
{
	struct script script;

	(void)state;
	script_begin(&script);
	script_udp(&script, STATION ":40000", PEER ":123");
	script_udp(&script, PEER ":123", STATION ":40000");
	script_udp(&script, STATION ":40000", PEER ":123");
	script_expect(&script, "connection udp 192.168.1.9:123\n");
	script_udp(&script, PEER ":4000", STATION ":161");
	script_expect(&script, "");
	script_udp(&script, STATION ":161", PEER ":4000");
	script_udp(&script, STATION ":161", PEER ":4000");
	script_expect(&script, "service udp 161 for 192.168.1.9\n");
	/* both directions keep it alive */
	script_wait(&script, 179);
	script_udp(&script, PEER ":123", STATION ":40000");
	script_wait(&script, 179);
	script_udp(&script, STATION ":40000", PEER ":123");
	script_expect(&script, "");
	script_wait(&script, 181);
	script_udp(&script, STATION ":40000", PEER ":123");
	script_expect(&script, "connection udp 192.168.1.9:123\n");
	script_wait(&script, 181);
	script_udp(&script, PEER ":123", STATION ":40000");
	script_udp(&script, STATION ":40000", PEER ":123");
	script_expect(&script, "service udp 40000 for 192.168.1.9\n");
	script_end(&script);
}

static void later_fragments_are_no_starts(void **state)
{
	struct script script;
	struct packet packet = packet_between(IPPROTO_UDP, STATION, PEER);

	(void)state;
	script_begin(&script);
	packet.fragment = true;
	packet.fragment_offset = 1480;
	script_packet(&script, &packet);
	packet.protocol = IPPROTO_ICMP;
	script_packet(&script, &packet);
	script_expect(&script, "");
	script_end(&script);
}

static void clock_set_back(void **state)
{
	struct script script;

	(void)state;
	script_begin(&script);
	script_wait(&script, 7200);
	script_udp(&script, PEER ":4000", STATION ":161");
	script_udp(&script, STATION ":161", PEER ":4000");
	script_udp(&script, STATION ":40000", PEER ":123");
	script_tcp(&script, STATION ":40000", PUBLIC ":443", TH_SYN, 1);
	script_expect(&script, "service udp 161 for 192.168.1.9\n"
			       "connection udp 192.168.1.9:123\n");
	script_wait(&script, -3600);
	script_udp(&script, PEER ":123", STATION ":40000");
	script_udp(&script, STATION ":40000", PEER ":123");
	script_udp(&script, STATION ":161", PEER ":4000");
	/* what waited is settled; flows stay whose they were */
	script_expect(&script, "connection tcp 198.51.100.1:443\n");
	script_tcp(&script, STATION ":40000", PUBLIC ":443", TH_SYN, 2);
	script_wait(&script, 5);
	tracker_advance(script.tracker, script.now_ns);
	script_expect(&script, "connection tcp 198.51.100.1:443\n");
	tracker_advance(script.tracker, UINT64_MAX);
	script_wait(&script, -3600);
	script_udp(&script, STATION ":40000", PEER ":123");
	script_end(&script);
}

static void answers_to_group_queries(void **state)
{
	struct script script;

	(void)state;
	script_begin(&script);
	/* SSDP: answered from a port of its own, and from the asked one */
	script_udp(&script, PEER ":50000", "239.255.255.250:1900");
	script_wait(&script, 3);
	script_udp(&script, STATION ":40000", PEER ":50000");
	script_udp(&script, STATION ":1900", PEER ":50000");
	script_expect(&script, "connection udp 192.168.1.9:50000 asked 1900\n"
			       "connection udp 192.168.1.9:50000 asked 1900\n"
			       "service udp 1900 for 192.168.1.9\n");
	script_udp(&script, STATION ":40000", PEER ":50001");
	script_wait(&script, 8);
	script_udp(&script, STATION ":40002", PEER ":50000");
	script_expect(&script, "connection udp 192.168.1.9:50001\n"
			       "connection udp 192.168.1.9:50000\n");
	/* TFTP: asked by unicast at 69, answered from elsewhere */
	script_udp(&script, PEER ":50069", STATION ":69");
	script_udp(&script, STATION ":40069", PEER ":50069");
	script_expect(&script, "connection udp 192.168.1.9:50069 asked 69\n");
	/* what answers the station asks for nothing */
	script_udp(&script, STATION ":33333", RESOLVER ":53");
	script_udp(&script, RESOLVER ":53", STATION ":33333");
	script_udp(&script, STATION ":33334", RESOLVER ":53");
	script_expect(&script, "connection udp 192.168.1.1:53\n"
			       "connection udp 192.168.1.1:53\n");
	script_end(&script);
}

/* DHCP: asked by broadcast, answered by unicast and by broadcast; the renewal is the station's. */
static void answers_to_own_group_queries(void **state)
{
	struct script script;

	(void)state;
	script_begin(&script);
	script_udp(&script, "0.0.0.0:68", "255.255.255.255:67");
	script_udp(&script, RESOLVER ":67", STATION ":68");
	script_udp(&script, RESOLVER ":67", "255.255.255.255:68");
	script_wait(&script, 5);
	script_udp(&script, STATION ":68", RESOLVER ":67");
	script_udp(&script, RESOLVER ":67", STATION ":68");
	script_expect(&script, "connection udp 255.255.255.255:67 broadcast\n"
			       "connection udp 192.168.1.1:67\n");
	script_end(&script);
}

static void icmp_counts_by_type_and_peer(void **state)
{
	struct script script;

	(void)state;
	script_begin(&script);
	for (int i = 0; i < 3; i++) {
		script_icmp(&script, STATION, PEER, 8);
		script_icmp(&script, PEER, STATION, 0);
	}
	script_expect(&script, "connection icmp 192.168.1.9 type 8\n");
	script_icmp(&script, PEER, STATION, 8);
	script_icmp(&script, STATION, PEER, 0);
	script_expect(&script, "");
	script_icmp(&script, STATION, PEER, 3);
	script_icmp(&script, STATION, PEER, 11);
	script_icmp(&script, "fe80::2", "fe80::9", 1);
	script_expect(&script, "");
	/* a reply that nobody asked for */
	script_icmp(&script, STATION, "192.168.1.8", 0);
	script_expect(&script, "connection icmp 192.168.1.8 type 0\n");
	script_wait(&script, 181);
	script_icmp(&script, STATION, PEER, 8);
	script_icmp(&script, STATION, PEER, 13);
	script_expect(&script, "connection icmp 192.168.1.9 type 8\n"
			       "connection icmp 192.168.1.9 type 13\n");
	script_icmp(&script, "fe80::2", "ff02::1:ff00:9", 135);
	script_icmp(&script, "fe80::2", "ff02::16", 143);
	script_icmp(&script, "fe80::2", "ff02::16", 143);
	script_expect(&script, "connection icmpv6 ff02::1:ff00:9 type 135\n"
			       "connection icmpv6 ff02::16 type 143\n");
	/* asked by way of a group */
	script_icmp(&script, "fe80::9", "ff02::1", 128);
	script_icmp(&script, "fe80::2", "fe80::9", 129);
	script_expect(&script, "");
	script_end(&script);
}

static void other_protocols(void **state)
{
	struct script script;
	struct packet packet;

	(void)state;
	script_begin(&script);
	for (int i = 0; i < 2; i++) {
		packet = packet_between(IPPROTO_IGMP, STATION, "224.0.0.22");
		script_packet(&script, &packet);
		packet = packet_between(IPPROTO_UDPLITE, STATION ":5000", PEER ":6000");
		script_packet(&script, &packet);
		packet = packet_between(IPPROTO_SCTP, STATION ":5000", PEER ":6000");
		packet.sctp_init = true;
		script_packet(&script, &packet);
		packet = packet_between(IPPROTO_SCTP, PEER ":5001", STATION ":6001");
		packet.sctp_init = true;
		script_packet(&script, &packet);
		packet = packet_between(IPPROTO_SCTP, STATION ":6001", PEER ":5001");
		packet.sctp_init_ack = true;
		script_packet(&script, &packet);
		packet.sctp_init_ack = false;
		script_packet(&script, &packet);
		packet = packet_between(47, PEER, STATION);
		script_packet(&script, &packet);
		packet = packet_between(47, STATION, PEER);
		script_packet(&script, &packet);
	}
	script_expect(&script, "connection igmp 224.0.0.22\n"
			       "connection udplite 192.168.1.9:6000\n"
			       "connection sctp 192.168.1.9:6000\n"
			       "service sctp 6001 for 192.168.1.9\n");
	script_end(&script);
}

/* A flood of random flows in both directions: nothing grows, and everything that starts is settled.
 */
static void million_flows(void **state)
{
	struct tracker_config config = {.subject = TRACK_MAC, .mac = station_mac};
	struct script script;
	struct packet packet = packet_tcp(STATION ":40000", PUBLIC ":443", TH_SYN, 1);
	uint64_t random = 88172645463325252U; /* xorshift64 (Marsaglia 2003) */
	uint8_t hello[256];
	size_t hello_size = tls_make_hello(hello, "www.example.com") - 1;
	size_t before = mallinfo2().uordblks;
	size_t used;

	(void)state;
	script_begin_as(&script, &config);
	script.is_silent = true;
	for (uint32_t i = 0; i < 1000000; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		script.now_ns += 100000;
		packet.protocol = random & 1 ? IPPROTO_TCP : IPPROTO_UDP;
		packet.tcp_flags = TH_SYN;
		packet.source_port = (uint16_t)(random >> 8);
		packet.destination_port = (uint16_t)(random >> 24);
		packet.destination.bytes[1] = (uint8_t)(random >> 40);
		packet.destination.bytes[2] = (uint8_t)(random >> 48);
		packet.payload = NULL;
		packet.payload_size = 0;
		script_packet(&script, &packet);
		packet.tcp_flags = TH_ACK;
		packet.tcp_sequence = 2;
		packet.payload = hello;
		packet.payload_size = hello_size;
		script_packet(&script, &packet);
		packet.tcp_sequence = 1;
	}
	used = mallinfo2().uordblks - before;
	print_message("tables after a million flows: %zu KiB\n", used / 1024);
	assert_true(used < 5 << 20);
	assert_true(tracker_evicted(script.tracker) > 900000);
	tracker_finish(script.tracker);
	assert_true(script.count > 1900000);
	assert_int_equal(script_open_flows(&script), 0);
	assert_int_equal(script.starts, script.connections);
	script_end(&script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syn_starts_once),
		cmocka_unit_test(accepting_is_a_service),
		cmocka_unit_test(first_datagram_decides),
		cmocka_unit_test(later_fragments_are_no_starts),
		cmocka_unit_test(clock_set_back),
		cmocka_unit_test(answers_to_group_queries),
		cmocka_unit_test(answers_to_own_group_queries),
		cmocka_unit_test(icmp_counts_by_type_and_peer),
		cmocka_unit_test(other_protocols),
		cmocka_unit_test(million_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
