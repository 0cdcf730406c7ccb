/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "gate/held.h"
#include "rules/program.h"

static struct held part(void)
{
	struct held held = {
		.kind = HELD_PART,
		.packet = 7,
		.queue = RULE_QUEUE_NAMES,
		.way = HELD_OUT,
		.over_tcp = true,
	};

	held.flow.protocol = IPPROTO_TCP;
	held.flow.local_port = 40000;
	held.flow.remote_port = 53;
	assert_int_equal(ip_parse("192.0.2.2", &held.flow.local), 0);
	assert_int_equal(ip_parse("192.0.2.53", &held.flow.remote), 0);
	return held;
}

static struct held question(void)
{
	struct held held = part();

	held.kind = HELD_QUESTION;
	held.over_tcp = false;
	held.flow.protocol = IPPROTO_UDP;
	held.dns_id = 0x1234;
	held.question_type = 1;
	strcpy(held.asked, "Www.Example.ORG");
	strcpy(held.flow.name, "www.example.org");
	return held;
}

static struct held answer(void)
{
	struct held held = question();

	held.kind = HELD_ANSWER;
	held.way = HELD_IN;
	held.rcode = 3;
	held.truncated = true;
	held.left_out = true;
	held.address_count = 1;
	held.addresses[0].ttl_s = 300;
	assert_int_equal(ip_parse("2001:db8::1", &held.addresses[0].address), 0);
	return held;
}

static struct held flow(void)
{
	struct held held = part();

	held.kind = HELD_FLOW;
	held.queue = RULE_QUEUE_FLOWS;
	held.over_tcp = false;
	return held;
}

static struct held unreadable(void)
{
	struct held held = part();

	held.kind = HELD_UNREADABLE;
	return held;
}

static struct held refused(void)
{
	struct held held = flow();

	held.kind = HELD_REFUSED;
	held.queue = 0;
	held.packet = 0;
	held.way = HELD_FORWARD;
	return held;
}

static void takes_what_a_reader_says(void **state)
{
	struct held (*const all[])(void) = {question, answer, part, unreadable, flow, refused};
	struct held held;

	(void)state;
	for (size_t i = 0; i < array_length(all); i++) {
		held = all[i]();
		if (!held_is_valid(&held))
			fail_msg("record %zu is refused", i);
	}
	held = question();
	held.over_tcp = true;
	held.flow.protocol = IPPROTO_TCP;
	held.more = true;
	held.edns = true;
	assert_true(held_is_valid(&held));
	/* nothing but that there was a packet */
	held = unreadable();
	held.over_tcp = false;
	memset(&held.flow, 0, sizeof(held.flow));
	assert_true(held_is_valid(&held));
}

/* ---- one thing wrong at a time ---- */

static void bad_kind(struct held *held)
{
	held->kind = HELD_KIND_COUNT;
}

static void no_kind(struct held *held)
{
	held->kind = 0;
}

static void bad_way(struct held *held)
{
	held->way = HELD_WAY_COUNT;
}

static void other_queue(struct held *held)
{
	held->queue = held->queue == RULE_QUEUE_NAMES ? RULE_QUEUE_FLOWS : RULE_QUEUE_NAMES;
}

static void no_bool(struct held *held)
{
	memset(&held->edns, 2, 1);
}

static void no_bool_in_flow(struct held *held)
{
	memset(&held->flow.announces, 0xff, 1);
}

static void mixed_families(struct held *held)
{
	assert_int_equal(ip_parse("2001:db8::1", &held->flow.remote), 0);
}

static void bad_family(struct held *held)
{
	held->flow.local.family = 5;
	held->flow.remote.family = 5;
}

static void bytes_behind_address(struct held *held)
{
	held->flow.local.bytes[15] = 1;
}

static void an_id(struct held *held)
{
	held->flow.id = 1;
}

static void endless_name(struct held *held)
{
	memset(held->flow.name, 'a', sizeof(held->flow.name));
}

static void endless_asked(struct held *held)
{
	memset(held->asked, 'a', sizeof(held->asked));
}

static const struct change {
	const char *what;
	void (*apply)(struct held *held);
} any_changes[] = {
	{"kind", bad_kind},
	{"no kind", no_kind},
	{"way", bad_way},
	{"queue", other_queue},
	{"bool", no_bool},
	{"bool in flow", no_bool_in_flow},
	{"mixed families", mixed_families},
	{"family", bad_family},
	{"bytes behind an address", bytes_behind_address},
	{"id", an_id},
	{"endless name", endless_name},
	{"endless question", endless_asked},
};

static void no_name(struct held *held)
{
	held->flow.name[0] = '\0';
	held->asked[0] = '\0';
}

static void other_name(struct held *held)
{
	strcpy(held->flow.name, "www.example.com");
}

static void upper_case(struct held *held)
{
	strcpy(held->flow.name, held->asked);
}

static void no_host_name(struct held *held)
{
	strcpy(held->flow.name, "a b");
	strcpy(held->asked, "a b");
}

static void other_port(struct held *held)
{
	held->flow.remote_port = 5353;
}

static void other_way(struct held *held)
{
	held->way = held->way == HELD_OUT ? HELD_IN : HELD_OUT;
}

static void no_address(struct held *held)
{
	memset(&held->flow.local, 0, sizeof(held->flow.local));
	memset(&held->flow.remote, 0, sizeof(held->flow.remote));
}

static void other_protocol(struct held *held)
{
	held->flow.protocol = IPPROTO_TCP;
}

static void more_over_udp(struct held *held)
{
	held->more = true;
}

static const struct change message_changes[] = {
	{"no name", no_name},
	{"other name", other_name},
	{"upper case", upper_case},
	{"no host name", no_host_name},
	{"port", other_port},
	{"way", other_way},
	{"no address", no_address},
	{"protocol", other_protocol},
	{"more over UDP", more_over_udp},
};

static void too_many(struct held *held)
{
	held->address_count = DNS_ADDRESSES_MAX + 1;
}

static void one_missing(struct held *held)
{
	held->address_count = 2;
}

static void long_life(struct held *held)
{
	held->addresses[0].ttl_s = UINT32_C(0x80000000);
}

static void bad_hint(struct held *held)
{
	memset(&held->addresses[0].hint, 3, 1);
}

static void big_rcode(struct held *held)
{
	held->rcode = 16;
}

static const struct change answer_changes[] = {
	{"too many addresses", too_many},
	{"an address is missing", one_missing},
	{"time to live", long_life},
	{"hint", bad_hint},
	{"rcode", big_rcode},
};

static void has_rcode(struct held *held)
{
	held->rcode = 1;
}

static void has_address(struct held *held)
{
	held->address_count = 1;
	assert_int_equal(ip_parse("192.0.2.1", &held->addresses[0].address), 0);
}

static void is_truncated(struct held *held)
{
	held->truncated = true;
}

static void leaves_out(struct held *held)
{
	held->left_out = true;
}

static const struct change question_changes[] = {
	{"rcode", has_rcode},
	{"address", has_address},
	{"truncated", is_truncated},
	{"left out", leaves_out},
};

static void has_name(struct held *held)
{
	strcpy(held->flow.name, "www.example.org");
	strcpy(held->asked, "www.example.org");
}

static void has_type(struct held *held)
{
	held->question_type = 1;
}

static void has_more(struct held *held)
{
	held->more = true;
}

static void tells_wrong_transport(struct held *held)
{
	held->over_tcp = !held->over_tcp;
}

static const struct change other_changes[] = {
	{"rcode", has_rcode}, {"address", has_address}, {"name", has_name},
	{"type", has_type},   {"more", has_more},	{"transport", tells_wrong_transport},
};

static void has_number(struct held *held)
{
	held->packet = 1;
}

static const struct change refused_changes[] = {{"packet number", has_number}};

static void refuse(struct held (*make)(void), const struct change *changes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct held held = make();

		assert_true(held_is_valid(&held));
		changes[i].apply(&held);
		if (held_is_valid(&held))
			fail_msg("kind %u is taken: %s", held.kind, changes[i].what);
	}
}

#define REFUSE(make, changes) refuse(make, changes, array_length(changes))

static void refuses_anything_else(void **state)
{
	(void)state;
	REFUSE(question, any_changes);
	REFUSE(answer, any_changes);
	REFUSE(part, any_changes);
	REFUSE(unreadable, any_changes);
	REFUSE(flow, any_changes);
	REFUSE(refused, any_changes);
	REFUSE(question, message_changes);
	REFUSE(answer, message_changes);
	REFUSE(question, question_changes);
	REFUSE(answer, answer_changes);
	REFUSE(part, other_changes);
	REFUSE(unreadable, other_changes);
	REFUSE(flow, other_changes);
	REFUSE(refused, other_changes);
	REFUSE(refused, refused_changes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_a_reader_says),
		cmocka_unit_test(refuses_anything_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
