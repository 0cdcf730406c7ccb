/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "observe/network/limits.h"
#include "observe/network/names.h"
#include "tracker_script.h"

#define CLIENT STATION ":40000"

static void connect_to(struct script *script, const char *destination)
{
	static uint32_t sequence = 1000;

	script_tcp(script, CLIENT, destination, TH_SYN, sequence++);
}

/* A public address that no DNS answer has named waits for its ClientHello: nothing is said yet. */
static void expect_unnamed(struct script *script, const char *destination)
{
	connect_to(script, destination);
	script_expect(script, "");
	tracker_finish(script->tracker);
	text_free(&script->lines);
}

static void feed_answer(struct script *script, const char *source, const char *destination,
			uint16_t id, const char *name, uint16_t type, const char *addresses)
{
	struct packet packet = packet_between(IPPROTO_UDP, source, destination);

	packet.payload = script->buffer;
	packet.payload_size = dns_make_answer(script->buffer, id, name, type, "", addresses, 60);
	script_packet(script, &packet);
}

static void forged_answers_change_nothing(void **state)
{
	static const struct {
		const char *source;
		const char *destination;
		uint16_t id;
		const char *name;
		uint16_t type;
	} forgeries[] = {
		{"192.168.1.66:53", STATION ":33333", 7, "www.example.com", ns_t_a},
		{RESOLVER ":53", STATION ":33334", 7, "www.example.com", ns_t_a},
		{RESOLVER ":53", "192.168.1.3:33333", 7, "www.example.com", ns_t_a},
		{RESOLVER ":53", STATION ":33333", 8, "www.example.com", ns_t_a},
		{RESOLVER ":53", STATION ":33333", 7, "www.example.org", ns_t_a},
		{RESOLVER ":53", STATION ":33333", 7, "www.example.com", ns_t_aaaa},
		{RESOLVER ":5353", STATION ":33333", 7, "www.example.com", ns_t_a},
	};
	struct script script;

	(void)state;
	script_begin(&script);
	script_ask(&script, 33333, 7, "www.example.com");
	script_expect(&script, "connection udp 192.168.1.1:53\n");
	for (size_t i = 0; i < array_length(forgeries); i++) {
		struct packet packet =
			packet_between(IPPROTO_UDP, forgeries[i].source, forgeries[i].destination);

		packet.destination_mac = station_mac;
		packet.payload = script.buffer;
		packet.payload_size =
			dns_make_answer(script.buffer, forgeries[i].id, forgeries[i].name,
					forgeries[i].type, "", "203.0.113.66", 60);
		script_packet(&script, &packet);
		script_expect(&script, "");
	}
	/* the last came from another port and is no DNS at all */
	assert_int_equal(tracker_forged(script.tracker), array_length(forgeries) - 1);
	script_answer(&script, 33333, 7, "www.example.com", PUBLIC);
	script_expect(&script, "name www.example.com 198.51.100.1 60\n"
			       "role resolver 192.168.1.1\n");
	/* too late: the first answer has counted */
	script_answer(&script, 33333, 7, "www.example.com", "203.0.113.66");
	script_expect(&script, "");
	assert_int_equal(tracker_forged(script.tracker), array_length(forgeries));
	expect_unnamed(&script, "203.0.113.66:443");
	connect_to(&script, PUBLIC ":443");
	script_expect(&script, "connection tcp www.example.com:443 dns\n");
	script_end(&script);
}

static void answers_over_tcp_need_questions_over_tcp(void **state)
{
	struct script script;
	struct packet packet;

	(void)state;
	script_begin(&script);
	script_ask(&script, 33333, 7, "www.example.com");
	script_tcp(&script, STATION ":33333", RESOLVER ":53", TH_SYN, 0);
	script_tcp(&script, RESOLVER ":53", STATION ":33333", TH_SYN | TH_ACK, 0);
	packet = packet_tcp(RESOLVER ":53", STATION ":33333", TH_ACK, 1);
	packet.payload = script.buffer;
	packet.payload_size = 2 + dns_make_answer(script.buffer + 2, 7, "www.example.com", ns_t_a,
						  "", PUBLIC, 60);
	script.buffer[0] = 0;
	script.buffer[1] = (uint8_t)(packet.payload_size - 2);
	script_packet(&script, &packet);
	assert_int_equal(tracker_forged(script.tracker), 1);
	text_free(&script.lines);
	expect_unnamed(&script, PUBLIC ":443");
	script_end(&script);
}

static void repeated_answers_are_harmless(void **state)
{
	struct script script;

	(void)state;
	script_begin(&script);
	for (int i = 0; i < 2; i++)
		script_ask(&script, 33333, 7, "www.example.com");
	script_answer(&script, 33333, 7, "www.example.com", PUBLIC " 198.51.100.2");
	script_answer(&script, 33333, 7, "www.example.com", "198.51.100.2 " PUBLIC);
	script_expect(&script, "connection udp 192.168.1.1:53\n"
			       "name www.example.com 198.51.100.1 60\n"
			       "name www.example.com 198.51.100.2 60\n"
			       "role resolver 192.168.1.1\n");
	assert_int_equal(tracker_forged(script.tracker), 0);
	/* asked anew from the same port with the same id, as small resolvers do */
	script_wait(&script, 29);
	script_ask(&script, 33333, 7, "www.example.com");
	script_wait(&script, 2);
	script_answer(&script, 33333, 7, "www.example.com", "198.51.100.3");
	script_expect(&script, "name www.example.com 198.51.100.3 60\n");
	script_end(&script);
}

static void aliases_lead_to_the_name_that_was_asked(void **state)
{
	struct script script;
	struct packet packet = packet_between(IPPROTO_UDP, RESOLVER ":53", STATION ":33333");

	(void)state;
	script_begin(&script);
	script_ask(&script, 33333, 7, "WWW.Example.com");
	packet.payload = script.buffer;
	packet.payload_size = dns_make_answer(script.buffer, 7, "www.example.com", ns_t_a,
					      "edge.cdn.example.net", PUBLIC, 60);
	script_packet(&script, &packet);
	text_free(&script.lines);
	connect_to(&script, PUBLIC ":443");
	script_expect(&script, "connection tcp www.example.com:443 dns\n");
	script_end(&script);
}

static void names_of_one_address_are_told_apart_by_time(void **state)
{
	struct script script;

	(void)state;
	script_begin(&script);
	script_resolve(&script, "a.example.com", PUBLIC);
	connect_to(&script, PUBLIC ":443");
	script_resolve(&script, "b.example.com", PUBLIC);
	connect_to(&script, PUBLIC ":443");
	script_resolve(&script, "a.example.com", PUBLIC);
	connect_to(&script, PUBLIC ":443");
	script_expect(&script, "connection tcp a.example.com:443 dns\n");
	script_wait(&script, 24 * 3600 + 1);
	text_free(&script.lines);
	expect_unnamed(&script, PUBLIC ":443");
	script_end(&script);
}

static void questions_without_address_are_reported(void **state)
{
	struct script script;

	(void)state;
	script_begin(&script);
	script_ask(&script, 33333, 7, "gone.example.com");
	script_answer(&script, 33333, 7, "gone.example.com", "");
	script_expect(&script, "connection udp 192.168.1.1:53\n"
			       "name gone.example.com none 0\n"
			       "role resolver 192.168.1.1\n");
	script_ask(&script, 33333, 8, "slow.example.com");
	script_wait(&script, 3);
	script_ask(&script, 33333, 8, "slow.example.com");
	script_wait(&script, 2);
	tracker_advance(script.tracker, script.now_ns);
	script_expect(&script, "name slow.example.com none 0\n");
	script_answer(&script, 33333, 8, "slow.example.com", PUBLIC);
	script_expect(&script, "name slow.example.com 198.51.100.1 60\n");
	script_ask(&script, 33333, 9, "never.example.com");
	script_wait(&script, 31);
	script_answer(&script, 33333, 9, "never.example.com", PUBLIC);
	script_expect(&script, "name never.example.com none 0\n");
	assert_int_equal(tracker_forged(script.tracker), 1);
	script_ask(&script, 33333, 10, "last.example.com");
	tracker_finish(script.tracker);
	script_expect(&script, "name last.example.com none 0\n");
	script_end(&script);
}

static void rebinding_names_nothing(void **state)
{
	static const struct {
		const char *name;
		const char *address;
		const char *line;
	} cases[] = {
		{"evil.example.com", "192.168.1.9", "evil.example.com none 0"},
		{"evil.example.com", "127.0.0.1", "evil.example.com none 0"},
		{"evil.example.com", "169.254.1.1", "evil.example.com none 0"},
		{"nas.fritz.box", "192.168.1.9", "nas.fritz.box none 0"},
		{"blocked.example.com", "0.0.0.0", "blocked.example.com none 0"},
		{"mcast.local", "224.0.0.5", "mcast.local none 0"},
		{"notlocal", "127.0.0.1", "notlocal none 0"},
		{"nas", "192.168.1.9", "nas 192.168.1.9 60"},
		{"nas.lan", "192.168.1.9", "nas.lan 192.168.1.9 60"},
		{"nas.home.arpa", "192.168.1.9", "nas.home.arpa 192.168.1.9 60"},
		{"fakelan", PUBLIC, "fakelan 198.51.100.1 60"},
	};
	struct script script;
	char expected[128];

	(void)state;
	script_begin(&script);
	script_resolve(&script, "first.example.com", PUBLIC);
	for (size_t i = 0; i < array_length(cases); i++) {
		script_ask(&script, 33333, (uint16_t)(100 + i), cases[i].name);
		text_free(&script.lines);
		script_answer(&script, 33333, (uint16_t)(100 + i), cases[i].name, cases[i].address);
		(void)snprintf(expected, sizeof(expected), "name %s\n", cases[i].line);
		script_expect(&script, expected);
	}
	connect_to(&script, "192.168.1.9:80");
	script_expect(&script, "connection tcp nas.home.arpa:80 dns\n");
	script_end(&script);
}

static void multicast_dns_names_nothing(void **state)
{
	struct script script;
	struct packet packet = packet_between(IPPROTO_UDP, STATION ":40001", "224.0.0.251:5353");

	(void)state;
	script_begin(&script);
	packet.payload = script.buffer;
	packet.payload_size = dns_make_question(script.buffer, 7, "printer.local", ns_t_a);
	script_packet(&script, &packet);
	script_expect(&script, "connection udp 224.0.0.251:5353\n");
	feed_answer(&script, "192.168.1.9:5353", STATION ":40001", 7, "printer.local", ns_t_a,
		    PUBLIC);
	script_expect(&script, "");
	expect_unnamed(&script, PUBLIC ":443");
	script_end(&script);
}

/* Two questions and their answers over one connection, cut where it hurts, and out of order. */
static void messages_over_tcp(void **state)
{
	struct script script;
	struct packet packet;
	uint8_t stream[1024];
	size_t first;
	size_t size;

	(void)state;
	script_begin(&script);
	script_tcp(&script, STATION ":5000", RESOLVER ":53", TH_SYN, 99);
	script_tcp(&script, RESOLVER ":53", STATION ":5000", TH_SYN | TH_ACK, 499);
	script_expect(&script, "connection tcp 192.168.1.1:53\n");
	first = dns_make_question(stream + 2, 1, "a.example.com", ns_t_a);
	size = dns_make_question(stream + first + 4, 2, "b.example.com", ns_t_a);
	stream[0] = stream[first + 2] = 0;
	stream[1] = (uint8_t)first;
	stream[first + 3] = (uint8_t)size;
	packet = packet_tcp(STATION ":5000", RESOLVER ":53", TH_ACK, 100);
	packet.payload = stream;
	packet.payload_size = first + size + 4;
	script_packet(&script, &packet);

	first = dns_make_answer(stream + 2, 1, "a.example.com", ns_t_a, "", PUBLIC, 60);
	size = dns_make_answer(stream + first + 4, 2, "b.example.com", ns_t_a, "", "198.51.100.2",
			       60);
	stream[0] = stream[first + 2] = 0;
	stream[1] = (uint8_t)first;
	stream[first + 3] = (uint8_t)size;
	size += first + 4;
	packet = packet_tcp(RESOLVER ":53", STATION ":5000", TH_ACK, 500);
	packet.payload = stream;
	packet.payload_size = 1;
	script_packet(&script, &packet);
	packet.tcp_sequence = 520;
	packet.payload = stream + 20;
	packet.payload_size = size - 20;
	script_packet(&script, &packet);
	script_expect(&script, "");
	packet.tcp_sequence = 501;
	packet.payload = stream + 1;
	packet.payload_size = 30;
	script_packet(&script, &packet);
	script_expect(&script, "name a.example.com 198.51.100.1 60\n"
			       "role resolver 192.168.1.1\n"
			       "name b.example.com 198.51.100.2 60\n");
	/* a retransmission is nothing new */
	packet.tcp_sequence = 500;
	packet.payload = stream;
	packet.payload_size = size;
	script_packet(&script, &packet);
	script_expect(&script, "");
	assert_int_equal(tracker_forged(script.tracker), 0);
	script_end(&script);
}

static void report_nothing(void *context, const char *name, const struct ip_address *address,
			   uint32_t ttl_s)
{
	(void)name;
	(void)address;
	(void)ttl_s;
	++*(size_t *)context;
}

static void tables_are_bounded(void **state)
{
	struct names *names;
	size_t reports = 0;
	struct names_path path = {.client = {4, {1}}, .resolver = {4, {2}}, .transport = 17};
	struct dns_message message = {.question_type = ns_t_a};
	uint32_t ttl_s;

	(void)state;
	assert_int_equal(names_new(report_nothing, &reports, &names), 0);
	for (uint32_t i = 0; i < 20000; i++) {
		path.client_port = (uint16_t)i;
		(void)snprintf(message.question, NAME_SIZE, "host%u.example.com", i);
		message.is_response = false;
		names_question(names, &path, &message, EPOCH_NS);
		if (i % 2)
			continue; /* never answered */
		message.is_response = true;
		message.address_count = 1;
		message.addresses[0].address = ip_from_ipv4(&(uint32_t){htonl(0xc6336400 + i)});
		assert_int_equal(names_answer(names, &path, &message, EPOCH_NS), 0);
	}
	/* what falls out unanswered is reported, too */
	names_forget_questions(names);
	assert_int_equal(reports, 20000);
	assert_int_equal(names_evicted(names), 20000 - QUESTIONS_MAX + 10000 - ADDRESSES_MAX);
	assert_string_equal(names_find(names, &message.addresses[0].address, EPOCH_NS, &ttl_s),
			    "host19998.example.com");
	message.addresses[0].address = ip_from_ipv4(&(uint32_t){htonl(0xc6336400)});
	assert_null(names_find(names, &message.addresses[0].address, EPOCH_NS, &ttl_s));
	names_free(names);
}

/* One address that changes its name all the time pushes out no other's. */
static void old_names_are_given_up(void **state)
{
	struct names *names;
	size_t reports = 0;
	struct names_path path = {.client = {4, {1}}, .resolver = {4, {2}}, .transport = 17};
	struct dns_message message = {.question_type = ns_t_a, .address_count = 1};
	struct ip_address kept;
	uint32_t ttl_s;

	(void)state;
	assert_int_equal(names_new(report_nothing, &reports, &names), 0);
	assert_int_equal(ip_parse("203.0.113.5", &kept), 0);
	for (int i = 0; i < 3 * ADDRESSES_MAX; i++) {
		(void)snprintf(message.question, NAME_SIZE, "host%d.example.com", i);
		assert_int_equal(
			ip_parse(i ? PUBLIC : "203.0.113.5", &message.addresses[0].address), 0);
		names_question(names, &path, &message, EPOCH_NS);
		assert_int_equal(names_answer(names, &path, &message, EPOCH_NS), 0);
	}
	assert_string_equal(names_find(names, &kept, EPOCH_NS, &ttl_s), "host0.example.com");
	names_free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forged_answers_change_nothing),
		cmocka_unit_test(answers_over_tcp_need_questions_over_tcp),
		cmocka_unit_test(repeated_answers_are_harmless),
		cmocka_unit_test(aliases_lead_to_the_name_that_was_asked),
		cmocka_unit_test(names_of_one_address_are_told_apart_by_time),
		cmocka_unit_test(questions_without_address_are_reported),
		cmocka_unit_test(rebinding_names_nothing),
		cmocka_unit_test(multicast_dns_names_nothing),
		cmocka_unit_test(messages_over_tcp),
		cmocka_unit_test(tables_are_bounded),
		cmocka_unit_test(old_names_are_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
