/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"
#include "gate_scene.h"

/* Hands a flow in and lets it have its turn. */
static void take(struct scene *scene, const struct held *held)
{
	gate_take(&scene->gate, held);
	while (gate_take_next(&scene->gate))
		;
}

static enum queue_verdict verdict_of(struct scene *scene, const struct held *held)
{
	take(scene, held);
	return scene_verdict(scene, held->packet)->verdict;
}

static void assert_finding(struct scene *scene, enum finding_kind kind, enum finding_action action,
			   const char *program)
{
	struct gate_word word;

	assert_true(scene_word(scene, GATE_FOUND, &word));
	assert_true(finding_is_valid(&word.finding));
	assert_int_equal(word.finding.kind, kind);
	assert_int_equal(word.finding.action, action);
	assert_string_equal(word.finding.program, program);
}

/* 203.0.113.10 was api.example.com when the profile was learnt. */
static void the_entrys_program_may(void **state)
{
	struct scene *scene = *state;
	struct held flow = scene_flow(scene, "203.0.113.10", IPPROTO_TCP, 443);

	scene->owner = "/usr/bin/app";
	assert_int_equal(verdict_of(scene, &flow), QUEUE_ACCEPT);
	assert_int_equal(scene->gate.counts.flows, 1);
	assert_int_equal(scene->gate.counts.flows_refused, 0);
}

static void another_program_may_not(void **state)
{
	struct scene *scene = *state;
	struct held flow = scene_flow(scene, "203.0.113.10", IPPROTO_TCP, 443);

	scene->owner = "/usr/bin/app2";
	assert_int_equal(verdict_of(scene, &flow), QUEUE_DROP);
	assert_finding(scene, FINDING_CONNECTION_PROGRAM, ACTION_DROPPED, "/usr/bin/app2");
	assert_int_equal(scene->gate.counts.flows_refused, 1);
}

static void nobody_may_not(void **state)
{
	struct scene *scene = *state;
	struct held flow = scene_flow(scene, "203.0.113.10", IPPROTO_TCP, 443);

	assert_int_equal(verdict_of(scene, &flow), QUEUE_DROP);
	assert_finding(scene, FINDING_CONNECTION_PROGRAM, ACTION_DROPPED, "");
	/* its next packet, when somebody is found */
	flow.packet = ++scene->next_packet;
	scene->owner = "/usr/bin/app";
	assert_int_equal(verdict_of(scene, &flow), QUEUE_ACCEPT);
}

static void by_the_names_of_now(void **state)
{
	struct scene *scene = *state;
	struct held question = scene_question(scene, "api.example.com", 1);
	struct held answer = scene_answer(scene, "api.example.com", 1,
					  (const char *const[]){"198.51.100.7", NULL});
	struct held flow = scene_flow(scene, "198.51.100.7", IPPROTO_TCP, 443);

	scene->owner = "/usr/bin/other";
	take(scene, &question);
	take(scene, &answer);
	assert_int_equal(verdict_of(scene, &flow), QUEUE_DROP);
	scene->owner = "/usr/bin/app";
	flow.packet = ++scene->next_packet;
	assert_int_equal(verdict_of(scene, &flow), QUEUE_ACCEPT);
}

static void where_no_program_is_named_nobody_is_looked_for(void **state)
{
	struct scene *scene = *state;
	struct held question = scene_question(scene, "a.example.net", 1);
	struct held answer = scene_answer(scene, "a.example.net", 1,
					  (const char *const[]){"198.51.100.8", NULL});
	struct held flow = scene_flow(scene, "198.51.100.8", IPPROTO_TCP, 8883);

	take(scene, &question);
	take(scene, &answer);
	assert_int_equal(verdict_of(scene, &flow), QUEUE_ACCEPT);
	assert_int_equal(scene->owner_searches, 0);
}

static void what_no_entry_has_is_refused(void **state)
{
	struct scene *scene = *state;
	struct held flow = scene_flow(scene, "203.0.113.10", IPPROTO_TCP, 444);

	scene->owner = "/usr/bin/app";
	assert_int_equal(verdict_of(scene, &flow), QUEUE_DROP);
	assert_finding(scene, FINDING_CONNECTION_UNKNOWN, ACTION_DROPPED, "/usr/bin/app");
}

static void the_same_port_is_judged_here(void **state)
{
	struct scene *scene = *state;
	struct held same = scene_flow(scene, "198.51.100.9", IPPROTO_UDP, 5000);
	struct held other = scene_flow(scene, "198.51.100.9", IPPROTO_UDP, 5000);

	same.flow.local_port = 5000;
	other.flow.local_port = 5001;
	scene->owner = "/usr/bin/peers";
	assert_int_equal(verdict_of(scene, &same), QUEUE_ACCEPT);
	assert_int_equal(verdict_of(scene, &other), QUEUE_DROP);
	/* without binding too, whoever it is */
	scene->gate.options.binding = BIND_NONE;
	scene->owner = "/usr/bin/app";
	same.packet = ++scene->next_packet;
	other.packet = ++scene->next_packet;
	assert_int_equal(verdict_of(scene, &same), QUEUE_ACCEPT);
	assert_int_equal(verdict_of(scene, &other), QUEUE_DROP);
}

static void audit_only_reports(void **state)
{
	struct scene *scene = *state;
	struct held flow = scene_flow(scene, "203.0.113.10", IPPROTO_TCP, 443);

	scene->gate.options.report_only = true;
	scene->owner = "/usr/bin/app2";
	assert_int_equal(verdict_of(scene, &flow), QUEUE_ACCEPT);
	assert_finding(scene, FINDING_CONNECTION_PROGRAM, ACTION_REPORTED, "/usr/bin/app2");
	assert_int_equal(scene->gate.counts.flows_refused, 0);
}

static void names_come_before_flows(void **state)
{
	struct scene *scene = *state;
	struct held flow = scene_flow(scene, "203.0.113.10", IPPROTO_TCP, 443);
	struct held question = scene_question(scene, "api.example.com", 1);

	gate_take(&scene->gate, &flow);
	gate_take(&scene->gate, &question);
	assert_false(scene_has_verdict(scene, flow.packet));
	assert_true(scene_has_verdict(scene, question.packet));
	assert_false(gate_take_next(&scene->gate));
	assert_true(scene_has_verdict(scene, flow.packet));
}

static void too_many_flows_are_dropped(void **state)
{
	struct scene *scene = *state;
	uint32_t last = 0;
	unsigned int taken = 1;

	scene->owner = "/usr/bin/app";
	for (int i = 0; i <= GATE_WAITING; i++) {
		struct held flow = scene_flow(scene, "203.0.113.10", IPPROTO_TCP, 443);

		gate_take(&scene->gate, &flow);
		last = flow.packet;
	}
	assert_int_equal(scene_verdict(scene, last)->verdict, QUEUE_DROP);
	while (gate_take_next(&scene->gate))
		taken++;
	assert_int_equal(taken, GATE_WAITING);
	assert_int_equal(scene->gate.counts.flows, GATE_WAITING);
}

/* ---- reports ---- */

static struct held refused(struct scene *scene, enum held_way way, const char *remote,
			   uint16_t port)
{
	struct held held = scene_flow(scene, remote, IPPROTO_TCP, port);

	held.kind = HELD_REFUSED;
	held.queue = 0;
	held.packet = 0;
	held.way = (uint8_t)way;
	assert_true(held_is_valid(&held));
	return held;
}

static void refused_packets_are_findings(void **state)
{
	static const struct {
		enum held_way way;
		enum finding_kind kind;
	} ways[] = {
		{HELD_OUT, FINDING_CONNECTION_UNKNOWN},
		{HELD_IN, FINDING_SERVICE_UNKNOWN},
		{HELD_FORWARD, FINDING_FORWARD_UNKNOWN},
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct held held = refused(scene, ways[i].way, "203.0.113.99", 23);

		scene->owner = "/usr/bin/telnet";
		take(scene, &held);
		assert_finding(scene, ways[i].kind, ACTION_DROPPED,
			       ways[i].way == HELD_OUT ? "/usr/bin/telnet" : "");
	}
	assert_int_equal(scene->call_count, 0);
}

static void equal_ones_are_counted(void **state)
{
	struct scene *scene = *state;
	struct held held = refused(scene, HELD_OUT, "203.0.113.99", 23);
	struct gate_word word;

	for (int i = 0; i < 40; i++) {
		held.flow.local_port++;
		take(scene, &held);
	}
	assert_true(scene_word(scene, GATE_FOUND, &word));
	assert_int_equal(word.finding.repeats, 0);
	assert_false(scene_word(scene, GATE_FOUND, &word));
	/* when the time is over, one for all of them */
	gate_findings_tick(&scene->gate, clock_monotonic_ns() + GATE_REPEAT_NS);
	assert_true(scene_word(scene, GATE_FOUND, &word));
	assert_int_equal(word.finding.repeats, 38);
	assert_false(scene_word(scene, GATE_FOUND, &word));
}

static void a_flood_costs_few_searches_and_few_words(void **state)
{
	struct scene *scene = *state;
	struct gate_word word;
	unsigned int words = 0;

	for (int i = 0; i < 5000; i++) {
		struct held held = refused(scene, HELD_OUT, "203.0.113.99", (uint16_t)(1 + i));

		take(scene, &held);
		while (scene_word(scene, GATE_FOUND, &word))
			words++;
	}
	assert_in_range(scene->owner_searches, 1, 80);
	assert_in_range(words, 1, 300);
	gate_findings_tick(&scene->gate, clock_monotonic_ns());
	assert_true(scene_word(scene, GATE_SAID, &word));
	assert_non_null(strstr(word.text, "too many"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_entrys_program_may),
		TEST(another_program_may_not),
		TEST(nobody_may_not),
		TEST(by_the_names_of_now),
		TEST(where_no_program_is_named_nobody_is_looked_for),
		TEST(what_no_entry_has_is_refused),
		TEST(the_same_port_is_judged_here),
		TEST(audit_only_reports),
		TEST(names_come_before_flows),
		TEST(too_many_flows_are_dropped),
		TEST(refused_packets_are_findings),
		TEST(equal_ones_are_counted),
		TEST(a_flood_costs_few_searches_and_few_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
