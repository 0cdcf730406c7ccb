/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pcap/dlt.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "gate/checksum.h"
#include "gate/reader.h"
#include "gate/refusal.h"
#include "observe/network/dns_message.h"
#include "observe/network/packet.h"
#include "rules/program.h"

static struct held question(const char *local, const char *remote)
{
	struct held held = {
		.kind = HELD_QUESTION,
		.packet = 1,
		.way = HELD_OUT,
		.dns_id = 0xbeef,
		.question_type = ns_t_aaaa,
	};

	held.flow.protocol = IPPROTO_UDP;
	held.flow.local_port = 40001;
	held.flow.remote_port = 53;
	assert_int_equal(ip_parse(local, &held.flow.local), 0);
	assert_int_equal(ip_parse(remote, &held.flow.remote), 0);
	strcpy(held.asked, "EviL.Example.org");
	strcpy(held.flow.name, "evil.example.org");
	assert_true(held_is_valid(&held));
	return held;
}

/* RFC 1071 section 3's example, and one with an odd end. */
static void sums_as_the_rfc_does(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	(void)state;
	assert_int_equal(checksum_of(bytes, sizeof(bytes)), 0x220d);
	assert_int_equal(checksum_of(bytes, 3), 0xffff - 0xf201);
	assert_int_equal(checksum_of(bytes, 0), 0xffff);
}

static void is_what_a_resolver_would_say(const struct held *held, bool edns)
{
	uint8_t bytes[REFUSAL_SIZE_MAX];
	size_t size = refusal_build(held, ns_r_nxdomain, bytes);
	size_t header_size = held->flow.local.family == 4 ? 20 : 40;
	char asked[NS_MAXDNAME];
	struct dns_message message;
	struct packet packet;

	assert_in_range(size, header_size + 8 + 12, REFUSAL_SIZE_MAX);
	assert_int_equal(packet_decode(DLT_RAW, bytes, size, size, &packet), 0);
	assert_int_equal(packet.kind, PACKET_IP);
	assert_int_equal(packet.payload_missing, 0);
	assert_ptr_equal(packet.payload, bytes + header_size + 8);
	assert_ptr_equal(packet.payload + packet.payload_size, bytes + size);
	assert_int_equal(packet.protocol, IPPROTO_UDP);
	/* turned round */
	assert_true(ip_equal(&packet.source, &held->flow.remote));
	assert_true(ip_equal(&packet.destination, &held->flow.local));
	assert_int_equal(packet.source_port, 53);
	assert_int_equal(packet.destination_port, held->flow.local_port);
	assert_int_equal(be16_at(bytes + header_size + 4), packet.payload_size + 8);
	assert_int_not_equal(be16_at(bytes + header_size + 6), 0);
	assert_int_equal(checksum_of_transport(&packet.source, &packet.destination, IPPROTO_UDP,
					       bytes + header_size, size - header_size),
			 0);
	if (header_size == 20)
		assert_int_equal(checksum_of(bytes, 20), 0);
	assert_int_equal(dns_message_parse(packet.payload, packet.payload_size, &message), 0);
	assert_true(message.is_response);
	assert_false(message.truncated);
	assert_int_equal(message.id, held->dns_id);
	assert_int_equal(message.rcode, ns_r_nxdomain);
	assert_int_equal(message.question_type, held->question_type);
	assert_string_equal(message.question, held->flow.name);
	assert_int_equal(message.address_count, 0);
	assert_true(ns_name_uncompress(packet.payload, bytes + size, packet.payload + 12, asked,
				       sizeof(asked)) > 0);
	assert_string_equal(asked, held->asked);
	assert_int_equal(be16_at(packet.payload + 10), edns);
}

static void answers_questions(void **state)
{
	struct held ipv4 = question("192.0.2.2", "192.0.2.53");
	struct held ipv6 = question("2001:db8::2", "2001:db8::53");

	(void)state;
	is_what_a_resolver_would_say(&ipv4, false);
	is_what_a_resolver_would_say(&ipv6, false);
	ipv4.edns = true;
	ipv6.edns = true;
	is_what_a_resolver_would_say(&ipv4, true);
	is_what_a_resolver_would_say(&ipv6, true);
	/* every sum that can be: one of them is 0, which UDP has no place for */
	for (unsigned int id = 0; id <= UINT16_MAX; id++) {
		ipv4.dns_id = (uint16_t)id;
		is_what_a_resolver_would_say(&ipv4, true);
	}
}

static void answers_the_longest_question(void **state)
{
	struct held held = question("2001:db8::2", "2001:db8::53");

	(void)state;
	memset(held.asked, 'a', 253);
	held.asked[253] = '\0';
	for (size_t at = 63; at < 253; at += 64)
		held.asked[at] = '.';
	strcpy(held.flow.name, held.asked);
	held.edns = true;
	assert_true(held_is_valid(&held));
	is_what_a_resolver_would_say(&held, true);
}

static void stands_in_for_answers(void **state)
{
	struct held held = question("192.0.2.2", "192.0.2.53");

	(void)state;
	held.kind = HELD_ANSWER;
	held.way = HELD_IN;
	is_what_a_resolver_would_say(&held, false);
}

static void says_nothing_over_tcp(void **state)
{
	struct held held = question("192.0.2.2", "192.0.2.53");
	uint8_t bytes[REFUSAL_SIZE_MAX];

	(void)state;
	held.over_tcp = true;
	held.flow.protocol = IPPROTO_TCP;
	assert_int_equal(refusal_build(&held, ns_r_nxdomain, bytes), 0);
	held.over_tcp = false;
	held.kind = HELD_FLOW;
	assert_int_equal(refusal_build(&held, ns_r_nxdomain, bytes), 0);
}

/* ---- how a reader reads it: the same packet, seen from the asker ---- */

static void read_packet(const uint8_t *packet, size_t size, uint8_t way, struct held *held)
{
	/* of its own size, so that a sanitizer sees what is read behind it */
	_cleanup_(freep) uint8_t *copy = malloc(size);

	assert_non_null(copy);
	memcpy(copy, packet, size);
	assert_int_equal(reader_take_apart(NULL, RULE_QUEUE_NAMES, way, copy, size, held), 1);
	held->packet = 1;
	assert_true(held_is_valid(held));
}

/* One thing wrong at a time; at: from the IP header on. */
static const struct {
	const char *what;
	size_t at;
	uint8_t value;
} spoilt[] = {
	{"a header with options", 0, 0x46},
	{"more fragments", 6, 0x20},
	{"a later fragment", 7, 1},
	{"another protocol", 9, IPPROTO_UDPLITE},
	{"the header ends before the packet", 3, 60},
	{"the checksum", 26, 0x55},
	{"another port", 21, 54},
	{"a shorter datagram", 25, 40},
};

static void reads_only_plain_packets(void **state)
{
	const struct held asked = question("192.0.2.2", "192.0.2.53");
	uint8_t bytes[REFUSAL_SIZE_MAX + 1] = {0};
	size_t size = refusal_build(&asked, ns_r_nxdomain, bytes);
	struct held *held = calloc(HELD_PER_PACKET, sizeof(*held));

	(void)state;
	assert_non_null(held);
	read_packet(bytes, size, HELD_IN, held);
	assert_int_equal(held->kind, HELD_ANSWER);
	assert_int_equal(held->rcode, ns_r_nxdomain);
	assert_string_equal(held->asked, "EviL.Example.org");
	assert_true(ip_equal(&held->flow.local, &asked.flow.local));
	/* no question */
	read_packet(bytes, size, HELD_OUT, held);
	assert_int_equal(held->kind, HELD_UNREADABLE);
	read_packet(bytes, size, HELD_FORWARD, held);
	assert_int_equal(held->kind, HELD_UNREADABLE);
	/* bytes behind its end */
	read_packet(bytes, size + 1, HELD_IN, held);
	assert_int_equal(held->kind, HELD_UNREADABLE);
	for (size_t i = 0; i < array_length(spoilt); i++) {
		uint8_t was = bytes[spoilt[i].at];

		bytes[spoilt[i].at] = spoilt[i].value;
		read_packet(bytes, size, HELD_IN, held);
		if (held->kind != HELD_UNREADABLE)
			fail_msg("taken: %s", spoilt[i].what);
		bytes[spoilt[i].at] = was;
	}
	/* no checksum is none that is wrong */
	bytes[26] = 0;
	bytes[27] = 0;
	read_packet(bytes, size, HELD_IN, held);
	assert_int_equal(held->kind, HELD_ANSWER);
	for (size_t cut = 0; cut < size; cut++) {
		read_packet(bytes, cut, HELD_IN, held);
		assert_int_equal(held->kind, HELD_UNREADABLE);
	}
	free(held);
}

/* A whole and right packet with four bytes of options that say nothing (RFC 791): whoever puts a
 * refusal in its place, without them, would be misread. */
static void reads_no_packet_with_options(void **state)
{
	static const uint8_t no_operation[4] = {1, 1, 1, 1};
	const struct held asked = question("192.0.2.2", "192.0.2.53");
	struct held *held = calloc(HELD_PER_PACKET, sizeof(*held));
	uint8_t bytes[REFUSAL_SIZE_MAX + sizeof(no_operation)];
	size_t size = refusal_build(&asked, ns_r_nxdomain, bytes);

	(void)state;
	assert_non_null(held);
	memmove(bytes + 24, bytes + 20, size - 20);
	memcpy(bytes + 20, no_operation, sizeof(no_operation));
	bytes[0] = 0x46;
	bytes[3] = (uint8_t)(bytes[3] + sizeof(no_operation));
	read_packet(bytes, size + sizeof(no_operation), HELD_IN, held);
	assert_int_equal(held->kind, HELD_UNREADABLE);
	assert_int_equal(held->flow.remote_port, 53);
	free(held);
}

static void reads_what_is_known_of_others(void **state)
{
	const struct held asked = question("2001:db8::2", "2001:db8::53");
	uint8_t bytes[REFUSAL_SIZE_MAX];
	size_t size = refusal_build(&asked, ns_r_nxdomain, bytes);
	static struct held records[HELD_PER_PACKET];
	struct held held;

	(void)state;
	reader_take_refused(HELD_IN, bytes, 48, &held);
	assert_true(held_is_valid(&held));
	assert_int_equal(held.kind, HELD_REFUSED);
	assert_int_equal(held.flow.remote_port, 53);
	assert_int_equal(held.flow.local_port, 40001);
	/* the addresses at least */
	reader_take_refused(HELD_FORWARD, bytes, 42, &held);
	assert_true(held_is_valid(&held));
	assert_true(ip_equal(&held.flow.local, &asked.flow.remote));
	assert_int_equal(held.flow.protocol, IPPROTO_UDP);
	assert_int_equal(held.flow.remote_port, 0);
	reader_take_refused(HELD_IN, bytes, 3, &held);
	assert_true(held_is_valid(&held));
	assert_int_equal(held.flow.local.family, 0);
	assert_int_equal(reader_take_apart(NULL, RULE_QUEUE_FLOWS, HELD_OUT, bytes, size, records),
			 1);
	held = records[0];
	assert_true(held_is_valid(&held));
	assert_int_equal(held.kind, HELD_FLOW);
	assert_int_equal(held.flow.local_port, 53);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_as_the_rfc_does),
		cmocka_unit_test(answers_questions),
		cmocka_unit_test(answers_the_longest_question),
		cmocka_unit_test(stands_in_for_answers),
		cmocka_unit_test(says_nothing_over_tcp),
		cmocka_unit_test(reads_only_plain_packets),
		cmocka_unit_test(reads_no_packet_with_options),
		cmocka_unit_test(reads_what_is_known_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
