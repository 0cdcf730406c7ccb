/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/nameser.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "gate_scene.h"

#define ADDRESSES(...)                                                                             \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static void take(struct scene *scene, const struct held *held)
{
	gate_take(&scene->gate, held);
}

static void ask(struct scene *scene, const char *name, uint16_t id)
{
	struct held question = scene_question(scene, name, id);

	take(scene, &question);
	assert_int_equal(scene_verdict(scene, question.packet)->verdict, QUEUE_ACCEPT);
	assert_int_equal(scene_verdict(scene, question.packet)->replacement_size, 0);
}

static void assert_released(const struct scene *scene, const struct held *held)
{
	const struct scene_call *verdict = scene_verdict(scene, held->packet);

	assert_int_equal(verdict->verdict, QUEUE_ACCEPT);
	assert_int_equal(verdict->replacement_size, 0);
}

static void assert_dropped(const struct scene *scene, const struct held *held)
{
	assert_int_equal(scene_verdict(scene, held->packet)->verdict, QUEUE_DROP);
}

/* Something else went on in its place. */
static void assert_refused(const struct scene *scene, const struct held *held)
{
	const struct scene_call *verdict = scene_verdict(scene, held->packet);

	assert_int_equal(verdict->verdict, QUEUE_ACCEPT);
	assert_true(verdict->replacement_size > 0);
}

static void assert_finding(struct scene *scene, enum finding_kind kind, enum finding_action action,
			   const char *name)
{
	struct gate_word word;

	assert_true(scene_word(scene, GATE_FOUND, &word));
	assert_true(finding_is_valid(&word.finding));
	assert_int_equal(word.finding.kind, kind);
	assert_int_equal(word.finding.action, action);
	assert_int_equal(word.finding.layer, LAYER_GATE);
	assert_string_equal(word.finding.flow.name, name);
}

static void assert_no_finding(struct scene *scene)
{
	struct gate_word word;

	assert_false(scene_word(scene, GATE_FOUND, &word));
}

/* ---- questions ---- */

static void permitted_names_may_be_asked_for(void **state)
{
	static const char *const names[] = {"api.example.com", "example.net", "eu.mqtt.example.net",
					    "only.example.org"};
	struct scene *scene = *state;

	for (size_t i = 0; i < array_length(names); i++)
		ask(scene, names[i], (uint16_t)i);
	assert_int_equal(scene->gate.counts.questions, array_length(names));
	assert_no_finding(scene);
}

static void other_names_are_answered_here(void **state)
{
	static const char *const names[] = {"evil.example", "xapi.example.com", "com",
					    "a.api.example.com", "notexample.net"};
	struct scene *scene = *state;

	scene->owner = "/usr/bin/curl";
	for (size_t i = 0; i < array_length(names); i++) {
		struct held question = scene_question(scene, names[i], (uint16_t)i);

		take(scene, &question);
		assert_refused(scene, &question);
		assert_finding(scene, FINDING_NAME_UNKNOWN, ACTION_REFUSED, names[i]);
	}
	assert_int_equal(scene->gate.counts.questions_refused, array_length(names));
	assert_int_equal(scene->gate.counts.questions, 0);
}

static void a_refused_question_names_its_program(void **state)
{
	struct scene *scene = *state;
	struct held question = scene_question(scene, "evil.example", 1);
	struct gate_word word;

	scene->owner = "/usr/bin/curl";
	take(scene, &question);
	assert_true(scene_word(scene, GATE_FOUND, &word));
	assert_string_equal(word.finding.program, "/usr/bin/curl");
	assert_int_equal(word.finding.user, 1000);
	assert_int_equal(word.finding.flow.way, WAY_OUT);
	assert_int_equal(word.finding.flow.remote_port, 53);
}

static void over_tcp_other_names_are_dropped(void **state)
{
	struct scene *scene = *state;
	struct held question = scene_question(scene, "evil.example", 1);

	question.over_tcp = true;
	question.flow.protocol = IPPROTO_TCP;
	take(scene, &question);
	assert_dropped(scene, &question);
	assert_finding(scene, FINDING_NAME_UNKNOWN, ACTION_DROPPED, "evil.example");
}

/* All messages of one packet have to be permitted. */
static void one_of_several_questions_in_a_packet_stops_all(void **state)
{
	struct scene *scene = *state;
	struct held first = scene_question(scene, "api.example.com", 1);
	struct held second = scene_question(scene, "evil.example", 2);
	struct held third = scene_question(scene, "api.example.com", 3);
	size_t drops = 0;

	second.packet = third.packet = first.packet;
	first.more = second.more = true;
	first.over_tcp = second.over_tcp = third.over_tcp = true;
	first.flow.protocol = second.flow.protocol = third.flow.protocol = IPPROTO_TCP;
	take(scene, &first);
	assert_false(scene_has_verdict(scene, first.packet));
	take(scene, &second);
	take(scene, &third);
	/* the first word about a packet is the one that counts */
	for (size_t i = 0; i < scene->call_count && !drops; i++) {
		assert_int_equal(scene->calls[i].verdict, QUEUE_DROP);
		drops++;
	}
	assert_int_equal(drops, 1);
}

static void who_has_an_address_is_nobodys_business(void **state)
{
	struct scene *scene = *state;
	struct held question = scene_question(scene, "1.2.0.192.in-addr.arpa", 1);

	question.question_type = ns_t_ptr;
	take(scene, &question);
	assert_refused(scene, &question);
	assert_no_finding(scene);
}

static void the_answer_made_here_is_let_in(void **state)
{
	struct scene *scene = *state;
	struct held question = scene_question(scene, "evil.example", 9);
	struct held answer = scene_answer(scene, "evil.example", 9, NULL);
	struct held forged = scene_answer(scene, "evil.example", 9, ADDRESSES("203.0.113.66"));
	struct gate_word word;

	take(scene, &question);
	assert_true(scene_word(scene, GATE_FOUND, &word));
	answer.rcode = ns_r_nxdomain;
	take(scene, &answer);
	assert_released(scene, &answer);
	assert_no_finding(scene);
	/* but nothing that says more */
	forged.rcode = ns_r_nxdomain;
	take(scene, &forged);
	assert_dropped(scene, &forged);
	assert_finding(scene, FINDING_ANSWER_UNASKED, ACTION_DROPPED, "evil.example");
}

static void unknown_names_go_out_by_option_and_open_nothing(void **state)
{
	struct scene *scene = *state;
	struct held answer = scene_answer(scene, "evil.example", 5, ADDRESSES("203.0.113.66"));
	struct held flow;

	scene->gate.options.permit_unknown_names = true;
	ask(scene, "evil.example", 5);
	assert_finding(scene, FINDING_NAME_UNKNOWN, ACTION_REPORTED, "evil.example");
	take(scene, &answer);
	assert_released(scene, &answer);
	assert_int_equal(scene_added(scene, 0, "203.0.113.66", 0), 0);
	assert_int_equal(name_addresses_count(scene->gate.names), 0);
	/* people are told what it goes by */
	flow = scene_flow(scene, "203.0.113.66", IPPROTO_TCP, 443);
	flow.kind = HELD_REFUSED;
	flow.packet = 0;
	take(scene, &flow);
	(void)gate_take_next(&scene->gate);
	{
		struct gate_word word;

		assert_true(scene_word(scene, GATE_FOUND, &word));
		assert_int_equal(word.finding.kind, FINDING_CONNECTION_UNKNOWN);
		assert_int_equal(word.finding.layer, LAYER_RULES);
		assert_string_equal(word.finding.flow.name, "evil.example");
	}
}

/* ---- answers ---- */

static void addresses_are_in_the_set_before_the_answer_goes_on(void **state)
{
	struct scene *scene = *state;
	struct held answer =
		scene_answer(scene, "api.example.com", 1, ADDRESSES("198.51.100.7", "2001:db8::7"));

	ask(scene, "api.example.com", 1);
	take(scene, &answer);
	assert_released(scene, &answer);
	assert_int_equal(scene_added(scene, 0, "198.51.100.7", answer.packet), 1);
	assert_int_equal(scene_added(scene, 0, "2001:db8::7", answer.packet), 1);
	assert_int_equal(scene->gate.counts.answers, 1);
	for (size_t i = 0; i < scene->call_count; i++) {
		const struct scene_call *call = &scene->calls[i];

		if (call->kind != CALL_ADD)
			continue;
		assert_int_equal(call->member.protocol, IPPROTO_TCP);
		assert_int_equal(call->member.port, 443);
		assert_int_equal(call->member.last_port, 443);
		assert_int_equal(call->member.prefix_length,
				 call->member.address.family == 4 ? 32 : 128);
		assert_int_equal(call->member.timeout_s, 360); /* with the grace */
	}
}

static void a_set_of_one_family_gets_that_family(void **state)
{
	struct scene *scene = *state;
	struct held answer = scene_answer(scene, "pool.ntp.example", 1,
					  ADDRESSES("198.51.100.7", "2001:db8::7"));

	ask(scene, "pool.ntp.example", 1);
	take(scene, &answer);
	assert_released(scene, &answer);
	assert_int_equal(scene_added(scene, 1, "198.51.100.7", answer.packet), 1);
	assert_int_equal(scene_added(scene, 1, "2001:db8::7", 0), 0);
}

static void many_addresses_are_all_added(void **state)
{
	struct scene *scene = *state;
	struct held answer = scene_answer(scene, "eu.example.net", 1, NULL);
	size_t added = 0;

	answer.address_count = DNS_ADDRESSES_MAX;
	for (size_t i = 0; i < DNS_ADDRESSES_MAX; i++) {
		char text[IP_TEXT_SIZE];

		(void)snprintf(text, sizeof(text), "198.51.%zu.%zu", 100 + i / 200, 1 + i % 200);
		assert_int_equal(ip_parse(text, &answer.addresses[i].address), 0);
	}
	ask(scene, "eu.example.net", 1);
	take(scene, &answer);
	assert_released(scene, &answer);
	for (size_t i = 0; i < scene->call_count; i++)
		added += scene->calls[i].kind == CALL_ADD;
	assert_int_equal(added, DNS_ADDRESSES_MAX);
}

static void forged_answers_add_nothing(void **state)
{
	struct scene *scene = *state;
	static const struct {
		const char *name;
		uint16_t id;
		uint16_t port;
		const char *from;
	} forged[] = {
		{"api.example.com", 2, 40000, "10.0.0.53"}, /* other id */
		{"eu.example.net", 1, 40000, "10.0.0.53"},  /* other name */
		{"api.example.com", 1, 40001, "10.0.0.53"}, /* other port */
		{"api.example.com", 1, 40000, "10.0.0.54"}, /* other resolver */
	};

	ask(scene, "api.example.com", 1);
	for (size_t i = 0; i < array_length(forged); i++) {
		struct held answer = scene_answer(scene, forged[i].name, forged[i].id,
						  ADDRESSES("203.0.113.66"));

		answer.flow.local_port = forged[i].port;
		assert_int_equal(ip_parse(forged[i].from, &answer.flow.remote), 0);
		take(scene, &answer);
		assert_dropped(scene, &answer);
		assert_finding(scene, FINDING_ANSWER_UNASKED, ACTION_DROPPED, forged[i].name);
	}
	assert_int_equal(scene_added(scene, 0, "203.0.113.66", 0), 0);
	assert_int_equal(scene->gate.counts.answers_refused, array_length(forged));
	assert_int_equal(scene->gate.counts.answers, 0);
}

static void local_addresses_of_public_names_are_rebinding(void **state)
{
	static const char *const places[] = {
		"192.168.1.1",		"10.0.0.1",	 "127.0.0.1",  "0.0.0.0", "169.254.1.1",
		"224.0.0.251",		"::1",		 "fe80::1",    "fd00::1", "100.64.0.1",
		"64:ff9b::192.168.1.1", "2002:a00:1::1", "::10.0.0.1", "fec0::1"};
	struct scene *scene = *state;

	for (size_t i = 0; i < array_length(places); i++) {
		/* one good address does not make up for it */
		struct held answer = scene_answer(scene, "api.example.com", (uint16_t)i,
						  ADDRESSES("198.51.100.7", places[i]));

		ask(scene, "api.example.com", (uint16_t)i);
		take(scene, &answer);
		assert_refused(scene, &answer);
		/* equal ones are counted */
		if (i == 0)
			assert_finding(scene, FINDING_ANSWER_REBINDING, ACTION_REFUSED,
				       "api.example.com");
	}
	assert_int_equal(scene->gate.counts.answers_refused, array_length(places));
	assert_int_equal(scene_added(scene, 0, "198.51.100.7", 0), 0);
}

static void public_addresses_behind_translators_are_none(void **state)
{
	static const char *const places[] = {"64:ff9b::203.0.113.7", "2002:cb00:7107::1"};
	struct scene *scene = *state;

	for (size_t i = 0; i < array_length(places); i++) {
		struct held answer =
			scene_answer(scene, "api.example.com", (uint16_t)i, ADDRESSES(places[i]));

		ask(scene, "api.example.com", (uint16_t)i);
		take(scene, &answer);
		assert_released(scene, &answer);
	}
}

static void names_that_were_local_may_be(void **state)
{
	struct scene *scene = *state;
	static const char *const names[] = {"nas.example.com", "printer.local", "router"};

	for (size_t i = 0; i < array_length(names); i++) {
		struct held answer =
			scene_answer(scene, names[i], (uint16_t)i, ADDRESSES("192.168.1.9"));
		struct held loopback =
			scene_answer(scene, names[i], (uint16_t)i, ADDRESSES("127.0.0.1"));

		assert_int_equal(string_list_add(&scene->gate.program->questions, names[i]), 0);
		rule_program_sort_names(scene->gate.program);
		ask(scene, names[i], (uint16_t)i);
		take(scene, &answer);
		assert_released(scene, &answer);
		take(scene, &loopback);
		assert_refused(scene, &loopback);
	}
}

static void an_answer_without_addresses_goes_on(void **state)
{
	struct scene *scene = *state;
	struct held answer = scene_answer(scene, "api.example.com", 1, NULL);

	ask(scene, "api.example.com", 1);
	answer.rcode = ns_r_nxdomain;
	take(scene, &answer);
	assert_released(scene, &answer);
	assert_no_finding(scene);
}

static void a_full_set_is_an_error_for_who_asked(void **state)
{
	struct scene *scene = *state;
	struct held answer = scene_answer(scene, "api.example.com", 1, ADDRESSES("198.51.100.7"));
	struct gate_word word;

	ask(scene, "api.example.com", 1);
	scene->add_result = -ENOSPC;
	take(scene, &answer);
	assert_refused(scene, &answer);
	assert_int_equal(scene->gate.counts.answers_refused, 1);
	assert_true(scene_word(scene, GATE_SAID, &word));
	assert_non_null(strstr(word.text, "api.example.com"));
	assert_non_null(strstr(word.text, "the set says no"));
}

static void what_is_no_dns_is_dropped(void **state)
{
	struct scene *scene = *state;
	struct held held = scene_flow(scene, "10.0.0.53", IPPROTO_UDP, 53);

	held.kind = HELD_UNREADABLE;
	held.queue = RULE_QUEUE_NAMES;
	assert_true(held_is_valid(&held));
	take(scene, &held);
	assert_dropped(scene, &held);
	assert_finding(scene, FINDING_ANSWER_UNREADABLE, ACTION_DROPPED, "");
}

static void audit_lets_everything_go(void **state)
{
	struct scene *scene = *state;
	struct held question = scene_question(scene, "evil.example", 1);
	struct held unasked = scene_answer(scene, "api.example.com", 7, ADDRESSES("203.0.113.6"));
	struct held rebound = scene_answer(scene, "api.example.com", 2, ADDRESSES("127.0.0.1"));

	scene->gate.options.report_only = true;
	take(scene, &question);
	assert_released(scene, &question);
	assert_finding(scene, FINDING_NAME_UNKNOWN, ACTION_REPORTED, "evil.example");
	take(scene, &unasked);
	assert_released(scene, &unasked);
	assert_finding(scene, FINDING_ANSWER_UNASKED, ACTION_REPORTED, "api.example.com");
	ask(scene, "api.example.com", 2);
	take(scene, &rebound);
	assert_released(scene, &rebound);
	assert_finding(scene, FINDING_ANSWER_REBINDING, ACTION_REPORTED, "api.example.com");
	assert_int_equal(scene_added(scene, 0, "203.0.113.6", 0), 0);
	assert_int_equal(scene->gate.counts.answers_refused, 0);
}

/* ---- through the chain again ---- */

static void a_released_packet_gets_the_mark(void **state)
{
	struct scene *scene = *state;
	struct held question = scene_question(scene, "api.example.com", 1);
	struct held marked = scene_question(scene, "api.example.com", 2);
	const struct scene_call *verdict;

	scene->release_mark = 0xabcd0000;
	question.mark = 0x12;
	take(scene, &question);
	verdict = scene_verdict(scene, question.packet);
	assert_int_equal(verdict->verdict, QUEUE_REPEAT);
	assert_true(verdict->has_mark);
	assert_int_equal(verdict->mark, 0xabcd0012);
	/* somebody else's bits keep nothing from being judged */
	marked.mark = 0x00010034;
	take(scene, &marked);
	verdict = scene_verdict(scene, marked.packet);
	assert_int_equal(verdict->verdict, QUEUE_REPEAT);
	assert_int_equal(verdict->mark, 0xabcd0034);
}

/* Two names of one address and port: the shorter time of one does not cut the other's. */
static void an_address_stays_for_the_name_that_has_it_longest(void **state)
{
	struct scene *scene = *state;
	struct held patient;
	struct held hasty;
	uint32_t last_s = 0;

	ask(scene, "a.example.net", 1);
	ask(scene, "b.example.net", 2);
	patient = scene_answer(scene, "a.example.net", 1, ADDRESSES("198.51.100.7"));
	hasty = scene_answer(scene, "b.example.net", 2, ADDRESSES("198.51.100.7"));
	patient.addresses[0].ttl_s = 3600;
	hasty.addresses[0].ttl_s = 5;
	take(scene, &patient);
	take(scene, &hasty);
	assert_released(scene, &hasty);
	for (size_t i = 0; i < scene->call_count; i++)
		if (scene->calls[i].kind == CALL_ADD)
			last_s = scene->calls[i].member.timeout_s;
	assert_true(last_s >= 3600);
}

static void before_a_profile_nothing_goes_on(void **state)
{
	struct scene *scene = *state;
	struct held question = scene_question(scene, "api.example.com", 1);

	rule_program_free(scene->gate.program);
	scene->gate.program = NULL;
	take(scene, &question);
	assert_dropped(scene, &question);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(permitted_names_may_be_asked_for),
		TEST(other_names_are_answered_here),
		TEST(a_refused_question_names_its_program),
		TEST(over_tcp_other_names_are_dropped),
		TEST(one_of_several_questions_in_a_packet_stops_all),
		TEST(who_has_an_address_is_nobodys_business),
		TEST(the_answer_made_here_is_let_in),
		TEST(unknown_names_go_out_by_option_and_open_nothing),
		TEST(addresses_are_in_the_set_before_the_answer_goes_on),
		TEST(a_set_of_one_family_gets_that_family),
		TEST(many_addresses_are_all_added),
		TEST(forged_answers_add_nothing),
		TEST(local_addresses_of_public_names_are_rebinding),
		TEST(public_addresses_behind_translators_are_none),
		TEST(names_that_were_local_may_be),
		TEST(an_answer_without_addresses_goes_on),
		TEST(a_full_set_is_an_error_for_who_asked),
		TEST(what_is_no_dns_is_dropped),
		TEST(audit_lets_everything_go),
		TEST(a_released_packet_gets_the_mark),
		TEST(an_address_stays_for_the_name_that_has_it_longest),
		TEST(before_a_profile_nothing_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
