/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tracker_script.h"

#define SERVER PUBLIC ":443"
#define CLIENT STATION ":40000"

static void start_and_connection_share_their_id(void **state)
{
	struct script script;

	(void)state;
	script_begin(&script);
	script.skip_starts = false;
	script_resolve(&script, "www.example.com", PUBLIC);
	script_tcp(&script, CLIENT, SERVER, TH_SYN, 1);
	script_expect(&script, "start tcp www.example.com:443 dns\n"
			       "connection tcp www.example.com:443 dns\n");
	script_tcp(&script, CLIENT, "198.51.100.2:443", TH_SYN, 1);
	script_expect(&script, "start tcp 198.51.100.2:443\n");
	tracker_finish(script.tracker);
	script_expect(&script, "connection tcp 198.51.100.2:443\n");
	tracker_finish(script.tracker);
	script_expect(&script, "");
	script_end(&script);
}

static void hello_names_what_dns_did_not(void **state)
{
	struct script script;
	struct packet data;
	uint8_t first[51];
	size_t size;

	(void)state;
	script_begin(&script);
	script_tcp(&script, CLIENT, SERVER, TH_SYN, UINT32_MAX - 20);
	script_tcp(&script, SERVER, CLIENT, TH_SYN | TH_ACK, 9);
	script_expect(&script, "");
	size = tls_make_hello(script.buffer, "api.example.net");
	/* a byte from before the stream, as keep-alives carry (RFC 9293, 3.8.4) */
	data = packet_tcp(CLIENT, SERVER, TH_ACK, UINT32_MAX - 20);
	data.payload = (const uint8_t *)"X";
	data.payload_size = 1;
	script_packet(&script, &data);
	script_expect(&script, "");
	/* in two parts, the second first, over the end of the sequence numbers */
	data = packet_tcp(CLIENT, SERVER, TH_ACK, UINT32_MAX - 19 + 50);
	data.payload = script.buffer + 50;
	data.payload_size = size - 50;
	script_packet(&script, &data);
	script_packet(&script, &data);
	script_expect(&script, "");
	/* that byte again, and the stream's beginning behind it */
	memcpy(first, "X", 1);
	memcpy(first + 1, script.buffer, 50);
	data.tcp_sequence = UINT32_MAX - 20;
	data.payload = first;
	data.payload_size = sizeof(first);
	script_packet(&script, &data);
	script_expect(&script, "connection tcp api.example.net:443 tls\n");
	script_packet(&script, &data);
	tracker_finish(script.tracker);
	script_expect(&script, "");
	script_end(&script);
}

static void hello_may_come_with_the_syn(void **state)
{
	struct script script;
	struct packet syn = packet_tcp(CLIENT, SERVER, TH_SYN, 100);

	(void)state;
	script_begin(&script);
	syn.payload = script.buffer;
	syn.payload_size = tls_make_hello(script.buffer, "fast.example.net");
	script_packet(&script, &syn);
	script_expect(&script, "connection tcp fast.example.net:443 tls\n");
	script_end(&script);
}

/* A hello that claims to be longer than what is kept of a stream. */
static void endless_hello(void **state)
{
	struct script script;
	struct packet data = packet_tcp(CLIENT, SERVER, TH_ACK, 2);
	uint8_t bytes[4096] = {22, 3, 1, 0x30, 0, 1, 0, 0x2f, 0xfc, 3, 3};

	(void)state;
	script_begin(&script);
	/* a session id, then cipher suites as far as the eye reaches */
	bytes[44] = 0x2f;
	script_tcp(&script, CLIENT, SERVER, TH_SYN, 1);
	data.payload = bytes;
	data.payload_size = sizeof(bytes) - 1;
	script_packet(&script, &data);
	script_expect(&script, "");
	data.tcp_sequence += sizeof(bytes) - 1;
	data.payload_size = 100;
	script_packet(&script, &data);
	script_expect(&script, "connection tcp 198.51.100.1:443\n");
	script_end(&script);
}

/* The last moment that fits in a timestamp is no special one. */
static void end_of_time(void **state)
{
	struct script script;

	(void)state;
	script_begin(&script);
	script.now_ns = UINT64_MAX;
	script_ask(&script, 33333, 7, "www.example.com");
	script_tcp(&script, CLIENT, SERVER, TH_SYN, 1);
	script_tcp(&script, SERVER, CLIENT, TH_SYN | TH_ACK, 1);
	script_expect(&script, "connection udp 192.168.1.1:53\n");
	tracker_finish(script.tracker);
	script_expect(&script, "connection tcp 198.51.100.1:443\n"
			       "name www.example.com none 0\n");
	script_end(&script);
}

/* What ends the wait for a name. */
static void waiting_ends(void **state)
{
	static const uint8_t not_tls[] = "GET / HTTP/1.1\r\n";
	struct script script;
	struct packet data = packet_tcp(CLIENT, SERVER, TH_ACK, 2);

	(void)state;
	script_begin(&script);
	data.payload = not_tls;
	data.payload_size = sizeof(not_tls) - 1;

	script_tcp(&script, CLIENT, SERVER, TH_SYN, 1);
	script_packet(&script, &data);
	script_expect(&script, "connection tcp 198.51.100.1:443\n");

	script_tcp(&script, CLIENT, SERVER, TH_SYN, 2);
	script_tcp(&script, SERVER, CLIENT, TH_RST | TH_ACK, 0);
	script_expect(&script, "connection tcp 198.51.100.1:443\n");

	script_tcp(&script, CLIENT, SERVER, TH_SYN, 3);
	script_tcp(&script, CLIENT, SERVER, TH_FIN | TH_ACK, 4);
	script_expect(&script, "connection tcp 198.51.100.1:443\n");

	script_tcp(&script, CLIENT, SERVER, TH_SYN, 4);
	script_tcp(&script, CLIENT, SERVER, TH_SYN, 5);
	script_expect(&script, "connection tcp 198.51.100.1:443\n");
	tracker_advance(script.tracker, script.now_ns + 4999 * NS_PER_MS);
	script_expect(&script, "");
	tracker_advance(script.tracker, script.now_ns + 5000 * NS_PER_MS);
	script_expect(&script, "connection tcp 198.51.100.1:443\n");

	script_wait(&script, 10);
	script_tcp(&script, CLIENT, SERVER, TH_SYN, 6);
	script_wait(&script, 5);
	script_icmp(&script, STATION, RESOLVER, 8);
	script_expect(&script, "connection tcp 198.51.100.1:443\n"
			       "connection icmp 192.168.1.1 type 8\n");

	script_tcp(&script, CLIENT, SERVER, TH_SYN, 7);
	script_wait(&script, -1.5);
	script_icmp(&script, STATION, RESOLVER, 8);
	script_expect(&script, "connection tcp 198.51.100.1:443\n");

	/* the newest push out the oldest */
	for (unsigned int i = 0; i < 225; i++) {
		char client[64];

		(void)snprintf(client, sizeof(client), STATION ":%u", 50000 + i);
		script_tcp(&script, client, i ? SERVER : "198.51.100.9:443", TH_SYN, 7);
	}
	script_expect(&script, "connection tcp 198.51.100.9:443\n");
	assert_int_equal(tracker_evicted(script.tracker), 1);
	script_end(&script);
}

static void nothing_waits_where_no_name_can_come(void **state)
{
	struct script script;

	(void)state;
	script_begin(&script);
	script_tcp(&script, CLIENT, "192.168.1.9:443", TH_SYN, 1);
	script_udp(&script, CLIENT, "239.255.255.250:1900");
	script_udp(&script, CLIENT, "255.255.255.255:7");
	script_udp(&script, CLIENT, "192.168.1.255:137");
	script_udp(&script, CLIENT, "198.51.100.3:123");
	script_udp(&script, CLIENT, "198.51.100.4:443");
	script_tcp(&script, CLIENT, "198.51.100.5:53", TH_SYN, 1);
	script_expect(&script, "connection tcp 192.168.1.9:443\n"
			       "connection udp 239.255.255.250:1900\n"
			       "connection udp 255.255.255.255:7 broadcast\n"
			       "connection udp 192.168.1.255:137 broadcast\n"
			       "connection udp 198.51.100.3:123\n"
			       "connection udp 198.51.100.4:443\n"
			       "connection tcp 198.51.100.5:53\n");
	script_end(&script);
}

static void announcements_are_marked(void **state)
{
	struct script script;
	struct packet packet = packet_between(IPPROTO_UDP, CLIENT, "239.255.255.250:1900");

	(void)state;
	script_begin(&script);
	packet.payload = (const uint8_t *)"NOTIFY * HTTP/1.1\r\n";
	packet.payload_size = 19;
	script_packet(&script, &packet);
	packet.source_port++;
	packet.payload = (const uint8_t *)"M-SEARCH * HTTP/1.1\r\n";
	packet.payload_size = 21;
	script_packet(&script, &packet);
	script_expect(&script, "connection udp 239.255.255.250:1900 announces\n"
			       "connection udp 239.255.255.250:1900\n");
	script_end(&script);
}

/* The subject decides what is the station's. */
static void subjects(void **state)
{
	struct mac_address own[] = {{{2, 0, 0, 0, 0, 9}}, {{2, 0, 0, 0, 0, 2}}};
	struct tracker_config config = {.subject = TRACK_ADDRESS};
	struct script script;
	struct packet packet = packet_tcp(CLIENT, "192.168.1.9:80", TH_SYN, 1);
	struct packet other = packet_tcp("192.168.1.3:1000", "192.168.1.9:80", TH_SYN, 1);

	(void)state;
	assert_int_equal(ip_parse(STATION, &config.address), 0);
	script_begin_as(&script, &config);
	packet.has_source_mac = packet.has_destination_mac = false;
	other.has_source_mac = other.has_destination_mac = false;
	script_packet(&script, &packet);
	script_packet(&script, &other);
	script_expect(&script, "start tcp 192.168.1.9:80\nconnection tcp 192.168.1.9:80\n");
	script_end(&script);

	config.subject = TRACK_THIS_HOST;
	script_begin_as(&script, &config);
	packet.direction = PACKET_FROM_US;
	other.direction = PACKET_TO_OTHER;
	script_packet(&script, &packet);
	script_packet(&script, &other);
	script_expect(&script, "start tcp 192.168.1.9:80\nconnection tcp 192.168.1.9:80\n");
	script_end(&script);

	config.own_macs = own;
	config.own_mac_count = 2;
	script_begin_as(&script, &config);
	memset(own, 0, sizeof(own)); /* were copied */
	packet = packet_tcp(CLIENT, "192.168.1.9:80", TH_SYN, 1);
	other = packet_tcp("192.168.1.3:1000", "192.168.1.4:80", TH_SYN, 1);
	script_packet(&script, &packet);
	script_packet(&script, &other);
	script_expect(&script, "start tcp 192.168.1.9:80\nconnection tcp 192.168.1.9:80\n");
	script_end(&script);
}

static void forwarded_packets_are_not_the_stations(void **state)
{
	struct tracker_config config = {.subject = TRACK_THIS_HOST};
	struct script script;
	struct packet in = packet_tcp("192.168.1.9:5000", SERVER, TH_SYN, 1);
	struct packet back = packet_tcp(SERVER, "192.168.1.9:5000", TH_SYN | TH_ACK, 1);

	(void)state;
	script_begin_as(&script, &config);
	in.direction = PACKET_TO_US;
	script_packet(&script, &in);
	in.direction = PACKET_FROM_US;
	script_packet(&script, &in);
	back.direction = PACKET_TO_US;
	script_packet(&script, &back);
	back.direction = PACKET_FROM_US;
	script_packet(&script, &back);
	in.protocol = back.protocol = IPPROTO_UDP;
	in.direction = PACKET_TO_US;
	script_packet(&script, &in);
	in.direction = PACKET_FROM_US;
	script_packet(&script, &in);
	back.direction = PACKET_TO_US;
	script_packet(&script, &back);
	back.direction = PACKET_FROM_US;
	script_packet(&script, &back);
	script_expect(&script, "");
	script_end(&script);
}

static void loopback_only_names(void **state)
{
	struct tracker_config config = {.subject = TRACK_THIS_HOST};
	struct script script;
	struct packet packet = packet_between(IPPROTO_UDP, "127.0.0.1:40000", "127.0.0.53:53");

	(void)state;
	script_begin_as(&script, &config);
	packet.loopback = true;
	packet.payload = script.buffer;
	packet.payload_size = dns_make_question(script.buffer, 1, "www.example.com", 1);
	for (int i = 0; i < 2; i++) { /* lo shows each packet going out and coming in */
		packet.direction = i ? PACKET_TO_US : PACKET_FROM_US;
		script_packet(&script, &packet);
	}
	packet = packet_between(IPPROTO_UDP, "127.0.0.53:53", "127.0.0.1:40000");
	packet.loopback = true;
	packet.payload = script.buffer;
	packet.payload_size =
		dns_make_answer(script.buffer, 1, "www.example.com", 1, "", PUBLIC, 60);
	for (int i = 0; i < 2; i++) {
		packet.direction = i ? PACKET_TO_US : PACKET_FROM_US;
		script_packet(&script, &packet);
	}
	script_expect(&script, "name www.example.com 198.51.100.1 60\n");
	/* a resolver on this host, asked by its outer address, is nobody's peer */
	packet = packet_between(IPPROTO_UDP, CLIENT, STATION ":53");
	packet.loopback = true;
	packet.payload = script.buffer;
	packet.payload_size = dns_make_question(script.buffer, 2, "b.example.com", 1);
	script_packet(&script, &packet);
	packet = packet_between(IPPROTO_UDP, STATION ":53", CLIENT);
	packet.loopback = true;
	packet.payload = script.buffer;
	packet.payload_size =
		dns_make_answer(script.buffer, 2, "b.example.com", 1, "", "198.51.100.7", 60);
	script_packet(&script, &packet);
	script_expect(&script, "name b.example.com 198.51.100.7 60\n");
	packet = packet_tcp("127.0.0.1:40000", "127.0.0.1:80", TH_SYN, 1);
	packet.loopback = true;
	packet.direction = PACKET_FROM_US;
	script_packet(&script, &packet);
	script_expect(&script, "");
	packet = packet_tcp(CLIENT, SERVER, TH_SYN, 1);
	packet.direction = PACKET_FROM_US;
	script_packet(&script, &packet);
	script_expect(&script, "start tcp www.example.com:443 dns\n"
			       "connection tcp www.example.com:443 dns\n");
	assert_int_equal(tracker_forged(script.tracker), 0);
	script_end(&script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_and_connection_share_their_id),
		cmocka_unit_test(hello_names_what_dns_did_not),
		cmocka_unit_test(hello_may_come_with_the_syn),
		cmocka_unit_test(endless_hello),
		cmocka_unit_test(end_of_time),
		cmocka_unit_test(waiting_ends),
		cmocka_unit_test(nothing_waits_where_no_name_can_come),
		cmocka_unit_test(announcements_are_marked),
		cmocka_unit_test(subjects),
		cmocka_unit_test(forwarded_packets_are_not_the_stations),
		cmocka_unit_test(loopback_only_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
