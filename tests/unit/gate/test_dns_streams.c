/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "dns_message_builder.h"
#include "gate/dns_streams.h"
#include "rules/program.h"

/* Sequence numbers wrap in the middle of what is said. */
#define OWN_START   UINT32_C(0xfffffff0)
#define THEIR_START UINT32_C(0xffffff80)

static struct dns_streams *streams;
static struct held *held;
static uint16_t client_port = 40000;

static int setup(void **state)
{
	(void)state;
	held = calloc(HELD_PER_PACKET, sizeof(*held));
	client_port++;
	return held && dns_streams_new(&streams) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	dns_streams_free(streams);
	free(held);
	return 0;
}

/* A segment whose bytes begin `at` bytes into the stream. Returns how many records it has. */
static size_t pass(enum held_way way, unsigned int flags, uint32_t at, const void *bytes,
		   size_t size)
{
	const struct ip_address host = {4, {192, 0, 2, 2}};
	const struct ip_address resolver = {4, {192, 0, 2, 53}};
	bool out = way == HELD_OUT;
	struct packet packet = {
		.kind = PACKET_IP,
		.source = out ? host : resolver,
		.destination = out ? resolver : host,
		.protocol = IPPROTO_TCP,
		.has_ports = true,
		.source_port = out ? client_port : 53,
		.destination_port = out ? 53 : client_port,
		.tcp_flags = (uint8_t)flags,
		.tcp_sequence = (out ? OWN_START : THEIR_START) + at + !(flags & TH_SYN),
		.payload = bytes,
		.payload_size = size,
	};
	size_t count;

	memset(&held[0], 0, sizeof(held[0]));
	held[0].way = (uint8_t)way;
	held[0].queue = RULE_QUEUE_NAMES;
	held[0].packet = 1;
	held[0].over_tcp = true;
	held[0].flow.local = host;
	held[0].flow.remote = resolver;
	held[0].flow.protocol = IPPROTO_TCP;
	held[0].flow.local_port = client_port;
	held[0].flow.remote_port = 53;
	count = dns_streams_segment(streams, &packet, held);
	assert_in_range(count, 1, HELD_PER_PACKET);
	for (size_t i = 0; i < count; i++) {
		assert_true(held_is_valid(&held[i]));
		assert_int_equal(held[i].packet, 1);
		assert_int_equal(held[i].more, i + 1 < count);
	}
	return count;
}

static void expect(enum held_kind kind, enum held_way way, uint32_t at, const void *bytes,
		   size_t size)
{
	assert_int_equal(pass(way, TH_ACK | TH_PUSH, at, bytes, size), 1);
	assert_int_equal(held[0].kind, kind);
}

static void connect_both(void)
{
	assert_int_equal(pass(HELD_OUT, TH_SYN, 0, NULL, 0), 1);
	assert_int_equal(held[0].kind, HELD_PART);
	assert_int_equal(pass(HELD_IN, TH_SYN | TH_ACK, 0, NULL, 0), 1);
	assert_int_equal(held[0].kind, HELD_PART);
	expect(HELD_PART, HELD_OUT, 0, NULL, 0);
}

/* ---- questions ---- */

static void takes_whole_questions(void **state)
{
	struct stream_bytes bytes = {0};
	size_t first, second;

	(void)state;
	connect_both();
	add_question(&bytes, 1, "One.example.org", ns_t_a);
	first = bytes.size;
	expect(HELD_QUESTION, HELD_OUT, 0, bytes.bytes, first);
	assert_string_equal(held[0].asked, "One.example.org");
	assert_string_equal(held[0].flow.name, "one.example.org");
	assert_int_equal(held[0].dns_id, 1);
	assert_int_equal(held[0].question_type, ns_t_a);
	/* two at once, behind the first */
	add_question(&bytes, 2, "two.example.org", ns_t_aaaa);
	second = bytes.size;
	add_question(&bytes, 3, "three.example.org", ns_t_a);
	assert_int_equal(
		pass(HELD_OUT, TH_ACK, (uint32_t)first, bytes.bytes + first, bytes.size - first),
		2);
	assert_int_equal(held[0].kind, HELD_QUESTION);
	assert_string_equal(held[0].asked, "two.example.org");
	assert_int_equal(held[1].kind, HELD_QUESTION);
	assert_string_equal(held[1].asked, "three.example.org");
	assert_int_equal(held[1].dns_id, 3);
	/* what comes again is judged again, alone or together */
	expect(HELD_QUESTION, HELD_OUT, 0, bytes.bytes, first);
	expect(HELD_QUESTION, HELD_OUT, (uint32_t)second, bytes.bytes + second,
	       bytes.size - second);
	assert_int_equal(pass(HELD_OUT, TH_ACK, 0, bytes.bytes, bytes.size), 3);
	/* and the stream goes on behind it */
	first = bytes.size;
	add_question(&bytes, 4, "four.example.org", ns_t_a);
	expect(HELD_QUESTION, HELD_OUT, (uint32_t)first, bytes.bytes + first, bytes.size - first);
	expect(HELD_PART, HELD_OUT, (uint32_t)bytes.size, NULL, 0);
}

static void takes_questions_with_the_opening_segment(void **state)
{
	struct stream_bytes bytes = {0};

	(void)state;
	add_question(&bytes, 1, "fast.example.org", ns_t_a);
	assert_int_equal(pass(HELD_OUT, TH_SYN, 0, bytes.bytes, bytes.size), 1);
	assert_int_equal(held[0].kind, HELD_QUESTION);
	/* it was not taken, and goes without */
	assert_int_equal(pass(HELD_OUT, TH_SYN, 0, NULL, 0), 1);
	assert_int_equal(held[0].kind, HELD_PART);
	expect(HELD_QUESTION, HELD_OUT, 0, bytes.bytes, bytes.size);
}

static void lets_length_prefixes_go_alone(void **state)
{
	struct stream_bytes bytes = {0};
	size_t second, end;

	(void)state;
	connect_both();
	add_question(&bytes, 1, "one.example.org", ns_t_a);
	second = bytes.size;
	add_question(&bytes, 2, "two.example.org", ns_t_a);
	expect(HELD_PART, HELD_OUT, 0, bytes.bytes, 2);
	expect(HELD_PART, HELD_OUT, 0, bytes.bytes, 2);
	/* with the first byte of the next prefix at its end */
	expect(HELD_QUESTION, HELD_OUT, 2, bytes.bytes + 2, second - 2 + 1);
	expect(HELD_PART, HELD_OUT, (uint32_t)second + 1, bytes.bytes + second + 1, 1);
	expect(HELD_QUESTION, HELD_OUT, (uint32_t)second + 2, bytes.bytes + second + 2,
	       bytes.size - second - 2);
	/* all of it again, prefixes put together with their messages */
	assert_int_equal(pass(HELD_OUT, TH_ACK, 0, bytes.bytes, bytes.size), 2);
	expect(HELD_QUESTION, HELD_OUT, (uint32_t)second + 1, bytes.bytes + second + 1,
	       bytes.size - second - 1);
	/* one that went alone is what it was */
	end = bytes.size;
	add_question(&bytes, 3, "three.example.org", ns_t_a);
	expect(HELD_PART, HELD_OUT, (uint32_t)end, bytes.bytes + end, 2);
	bytes.bytes[end + 1]++;
	expect(HELD_UNREADABLE, HELD_OUT, (uint32_t)end, bytes.bytes + end, 2);
	expect(HELD_UNREADABLE, HELD_OUT, (uint32_t)end, bytes.bytes + end, bytes.size - end);
	bytes.bytes[end + 1]--;
	expect(HELD_QUESTION, HELD_OUT, (uint32_t)end, bytes.bytes + end, bytes.size - end);
}

static void keeps_questions_in_pieces(void **state)
{
	struct stream_bytes bytes = {0};
	size_t first;

	(void)state;
	connect_both();
	add_question(&bytes, 1, "secret.example.org", ns_t_a);
	first = bytes.size;
	/* in any length that is neither the prefix nor all */
	for (size_t size = 3; size < first; size++)
		expect(HELD_UNREADABLE, HELD_OUT, 0, bytes.bytes, size);
	/* from within */
	for (size_t at = 1; at < first; at++)
		expect(HELD_UNREADABLE, HELD_OUT, (uint32_t)at, bytes.bytes + at, first - at);
	/* a whole one before it does not help */
	add_question(&bytes, 2, "other.example.org", ns_t_a);
	for (size_t size = first + 3; size < bytes.size; size++)
		expect(HELD_UNREADABLE, HELD_OUT, 0, bytes.bytes, size);
	/* behind a gap */
	expect(HELD_UNREADABLE, HELD_OUT, (uint32_t)first, bytes.bytes + first, bytes.size - first);
	/* nothing of that has counted */
	assert_int_equal(pass(HELD_OUT, TH_ACK, 0, bytes.bytes, bytes.size), 2);
}

static void takes_the_same_question_again_only(void **state)
{
	struct stream_bytes bytes = {0}, other = {0}, longer = {0};

	(void)state;
	connect_both();
	add_question(&bytes, 1, "one.example.org", ns_t_a);
	add_question(&other, 1, "two.example.org", ns_t_a);
	add_question(&longer, 1, "longer.example.org", ns_t_a);
	expect(HELD_QUESTION, HELD_OUT, 0, bytes.bytes, bytes.size);
	expect(HELD_UNREADABLE, HELD_OUT, 0, other.bytes, other.size);
	expect(HELD_UNREADABLE, HELD_OUT, 0, longer.bytes, longer.size);
	/* behind the prefix too */
	expect(HELD_UNREADABLE, HELD_OUT, 2, other.bytes + 2, other.size - 2);
	expect(HELD_QUESTION, HELD_OUT, 2, bytes.bytes + 2, bytes.size - 2);
}

static void keeps_what_is_no_question(void **state)
{
	static const uint8_t empty[2] = {0};
	struct stream_bytes bytes = {0};

	(void)state;
	connect_both();
	expect(HELD_UNREADABLE, HELD_OUT, 0, (const uint8_t[]){0, 3, 1, 2, 3}, 5);
	expect(HELD_PART, HELD_OUT, 0, empty, 2);
	expect(HELD_UNREADABLE, HELD_OUT, 0, (const uint8_t[]){0, 0, 0, 0}, 4);
	/* an answer */
	client_port++;
	connect_both();
	add_answer(&bytes, 1, "one.example.org", 1);
	expect(HELD_UNREADABLE, HELD_OUT, 0, bytes.bytes, bytes.size);
	/* urgent bytes are not part of what the other side reads */
	bytes.size = 0;
	add_question(&bytes, 1, "one.example.org", ns_t_a);
	assert_int_equal(pass(HELD_OUT, TH_ACK | TH_URG, 0, bytes.bytes, bytes.size), 1);
	assert_int_equal(held[0].kind, HELD_UNREADABLE);
	expect(HELD_QUESTION, HELD_OUT, 0, bytes.bytes, bytes.size);
}

static void keeps_what_did_not_begin(void **state)
{
	struct stream_bytes bytes = {0};

	(void)state;
	add_question(&bytes, 1, "one.example.org", ns_t_a);
	expect(HELD_UNREADABLE, HELD_OUT, 0, bytes.bytes, bytes.size);
	expect(HELD_PART, HELD_OUT, 0, NULL, 0);
	bytes.size = 0;
	add_answer(&bytes, 1, "one.example.org", 1);
	expect(HELD_UNREADABLE, HELD_IN, 0, bytes.bytes, bytes.size);
	expect(HELD_PART, HELD_IN, 0, NULL, 0);
}

static void has_room_for_so_many_questions(void **state)
{
	struct stream_bytes bytes = {0};
	size_t last = 0;
	size_t fits;

	(void)state;
	connect_both();
	for (unsigned int i = 0; i < HELD_PER_PACKET; i++)
		add_question(&bytes, (uint16_t)i, "one.example.org", ns_t_a);
	fits = bytes.size;
	add_question(&bytes, 99, "one.example.org", ns_t_a);
	expect(HELD_UNREADABLE, HELD_OUT, 0, bytes.bytes, bytes.size);
	assert_int_equal(pass(HELD_OUT, TH_ACK, 0, bytes.bytes, fits), HELD_PER_PACKET);
	expect(HELD_QUESTION, HELD_OUT, (uint32_t)fits, bytes.bytes + fits, bytes.size - fits);
	/* the first has been forgotten by now */
	last = bytes.size - fits;
	expect(HELD_UNREADABLE, HELD_OUT, 0, bytes.bytes, last);
	expect(HELD_QUESTION, HELD_OUT, (uint32_t)last, bytes.bytes + last, last);
}

/* ---- answers ---- */

static void finds_answers_in_segments(void **state)
{
	struct stream_bytes bytes = {0};
	size_t cut, first;

	(void)state;
	connect_both();
	add_answer(&bytes, 7, "One.example.org", 3);
	first = bytes.size;
	cut = first / 2;
	expect(HELD_PART, HELD_IN, 0, bytes.bytes, 1);
	expect(HELD_PART, HELD_IN, 1, bytes.bytes + 1, cut - 1);
	expect(HELD_ANSWER, HELD_IN, (uint32_t)cut, bytes.bytes + cut, first - cut);
	assert_int_equal(held[0].dns_id, 7);
	assert_string_equal(held[0].asked, "One.example.org");
	assert_string_equal(held[0].flow.name, "one.example.org");
	assert_int_equal(held[0].address_count, 3);
	/* again: judged again, each of its parts */
	expect(HELD_ANSWER, HELD_IN, (uint32_t)cut, bytes.bytes + cut, first - cut);
	assert_int_equal(held[0].address_count, 3);
	expect(HELD_ANSWER, HELD_IN, 0, bytes.bytes, cut);
	/* two and a half at once */
	add_answer(&bytes, 8, "two.example.org", 1);
	add_answer(&bytes, 9, "three.example.org", 2);
	cut = bytes.size;
	add_answer(&bytes, 10, "four.example.org", 1);
	assert_int_equal(
		pass(HELD_IN, TH_ACK, (uint32_t)first, bytes.bytes + first, cut + 10 - first), 2);
	assert_string_equal(held[0].asked, "two.example.org");
	assert_string_equal(held[1].asked, "three.example.org");
	assert_int_equal(held[1].address_count, 2);
	/* a longer segment than before, from what was there on */
	assert_int_equal(
		pass(HELD_IN, TH_ACK, (uint32_t)first, bytes.bytes + first, bytes.size - first), 3);
	assert_string_equal(held[2].asked, "four.example.org");
}

static void puts_answers_in_order(void **state)
{
	struct stream_bytes bytes = {0};
	size_t first, a, b;

	(void)state;
	connect_both();
	add_answer(&bytes, 7, "one.example.org", 20);
	first = bytes.size;
	add_answer(&bytes, 8, "two.example.org", 1);
	a = first / 3;
	b = 2 * a;
	expect(HELD_PART, HELD_IN, (uint32_t)b, bytes.bytes + b, bytes.size - b);
	expect(HELD_PART, HELD_IN, 0, bytes.bytes, a);
	/* this one fills the gap: it answers for both */
	assert_int_equal(pass(HELD_IN, TH_ACK, (uint32_t)a, bytes.bytes + a, b - a), 2);
	assert_string_equal(held[0].asked, "one.example.org");
	assert_int_equal(held[0].address_count, 20);
	assert_string_equal(held[1].asked, "two.example.org");
	/* and for both again, should it have been dropped, and cut otherwise */
	assert_int_equal(pass(HELD_IN, TH_ACK, (uint32_t)a, bytes.bytes + a, b - a), 2);
	assert_int_equal(pass(HELD_IN, TH_ACK, (uint32_t)b - 3, bytes.bytes + b - 3, 3), 2);
}

static void keeps_answers_that_contradict(void **state)
{
	struct stream_bytes bytes = {0};
	size_t cut;

	(void)state;
	connect_both();
	add_answer(&bytes, 7, "one.example.org", 4);
	cut = bytes.size - 10;
	expect(HELD_PART, HELD_IN, 0, bytes.bytes, cut);
	bytes.bytes[cut - 1] ^= 1;
	expect(HELD_UNREADABLE, HELD_IN, 20, bytes.bytes + 20, bytes.size - 20);
	bytes.bytes[cut - 1] ^= 1;
	expect(HELD_ANSWER, HELD_IN, 20, bytes.bytes + 20, bytes.size - 20);
	/* far ahead */
	expect(HELD_UNREADABLE, HELD_IN, DNS_STREAMS_AHEAD + 1000, bytes.bytes, 10);
}

static void keeps_answers_that_are_none(void **state)
{
	struct stream_bytes bytes = {0};
	size_t question;

	(void)state;
	connect_both();
	add_question(&bytes, 7, "one.example.org", ns_t_a);
	question = bytes.size;
	expect(HELD_UNREADABLE, HELD_IN, 0, bytes.bytes, question);
	expect(HELD_UNREADABLE, HELD_IN, 0, bytes.bytes, question);
	/* not even its last byte, nor with a good one behind it */
	expect(HELD_UNREADABLE, HELD_IN, (uint32_t)question - 1, bytes.bytes + question - 1, 1);
	add_answer(&bytes, 8, "two.example.org", 1);
	expect(HELD_UNREADABLE, HELD_IN, (uint32_t)question - 1, bytes.bytes + question - 1,
	       bytes.size - question + 1);
	expect(HELD_ANSWER, HELD_IN, (uint32_t)question, bytes.bytes + question,
	       bytes.size - question);
}

static void begins_again_with_a_new_connection(void **state)
{
	struct stream_bytes bytes = {0};

	(void)state;
	connect_both();
	add_answer(&bytes, 7, "one.example.org", 4);
	expect(HELD_ANSWER, HELD_IN, 0, bytes.bytes, bytes.size);
	/* somebody guesses at it: what there was still counts */
	assert_int_equal(pass(HELD_IN, TH_SYN | TH_ACK, 5000, NULL, 0), 1);
	expect(HELD_ANSWER, HELD_IN, 0, bytes.bytes, bytes.size);
	/* the same ports, another connection */
	assert_int_equal(pass(HELD_OUT, TH_SYN, 700000, NULL, 0), 1);
	expect(HELD_UNREADABLE, HELD_IN, 0, bytes.bytes, bytes.size);
	assert_int_equal(pass(HELD_IN, TH_SYN | TH_ACK, 5000, NULL, 0), 1);
	expect(HELD_ANSWER, HELD_IN, 5000, bytes.bytes, bytes.size);
}

static void follows_so_many_connections(void **state)
{
	struct stream_bytes bytes = {0};

	(void)state;
	add_question(&bytes, 1, "one.example.org", ns_t_a);
	connect_both();
	client_port++;
	for (unsigned int i = 0; i < DNS_STREAMS_LIMIT; i++, client_port++)
		connect_both();
	client_port--;
	expect(HELD_QUESTION, HELD_OUT, 0, bytes.bytes, bytes.size);
	client_port = (uint16_t)(client_port - DNS_STREAMS_LIMIT);
	expect(HELD_UNREADABLE, HELD_OUT, 0, bytes.bytes, bytes.size);
	client_port = (uint16_t)(client_port + DNS_STREAMS_LIMIT);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(takes_whole_questions),
		TEST(takes_questions_with_the_opening_segment),
		TEST(lets_length_prefixes_go_alone),
		TEST(keeps_questions_in_pieces),
		TEST(takes_the_same_question_again_only),
		TEST(keeps_what_is_no_question),
		TEST(keeps_what_did_not_begin),
		TEST(has_room_for_so_many_questions),
		TEST(finds_answers_in_segments),
		TEST(puts_answers_in_order),
		TEST(keeps_answers_that_contradict),
		TEST(keeps_answers_that_are_none),
		TEST(begins_again_with_a_new_connection),
		TEST(follows_so_many_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
