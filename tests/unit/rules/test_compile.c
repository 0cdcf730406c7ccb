/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What compiled rules do with packets. That they permit what enforce/verdict.h permits is
 * test_compile_verdict.c's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/cleanup.h"
#include "rule_scene.h"

#define TCP IPPROTO_TCP
#define UDP IPPROTO_UDP

static void what_a_device_sends(void **state)
{
	static const struct judged cases[] = {
		YES(TO("198.51.100.77", TCP, 443)), /* answered for api.example.com */
		YES(TO("2001:db8:77::1", TCP, 443)),
		NO(TO("198.51.100.77", TCP, 80)),
		NO(TO("198.51.100.77", UDP, 443)),
		NO(TO("198.51.100.78", TCP, 443)),
		YES(TO("198.51.100.79", UDP, 1024)), /* x.example.net */
		NO(TO("198.51.100.79", UDP, 1023)),
		NO(TO("198.51.100.79", TCP, 5000)),
		YES(TO("198.51.100.80", UDP, 123), .local_port = 123), /* time.example.com */
		NO(TO("198.51.100.80", UDP, 123)),
		YES(TO("203.0.113.200", TCP, 8883)),
		NO(TO("203.0.114.1", TCP, 8883)),
		YES(TO("203.0.113.200", 47, 0)),
		NO(TO("203.0.113.200", 50, 0)),
		NO(TO("203.0.114.1", 47, 0)),
		/* resolvers: neighbours, and who was one; TCP for what was cut short */
		YES(TO("10.0.0.3", UDP, 53)),
		YES(TO("fd00::53", TCP, 53)),
		YES(TO("9.9.9.9", UDP, 53)),
		YES(TO("9.9.9.9", TCP, 53)),
		NO(TO("9.9.9.9", TCP, 853)),
		NO(TO("8.8.8.8", UDP, 53)),
		NO(TO("10.0.0.3", UDP, 54)),
		YES(TO("10.0.0.3", UDP, 67), .local_port = 68),
		NO(TO("10.0.0.3", UDP, 67)),
		YES(TO("255.255.255.255", UDP, 67)),
		NO(TO("255.255.255.255", UDP, 68)),
		YES(TO("192.168.1.4", TCP, 9000)),
		YES(TO("fe80::4", TCP, 9002)),
		NO(TO("192.168.1.4", TCP, 9001)),
		NO(TO("203.0.113.4", TCP, 9000)),
		YES(TO("10.255.255.255", UDP, 7000), .places = PLACE_BROADCAST),
		YES(TO("239.255.255.250", UDP, 1900)),
		YES(TO("ff02::c", UDP, 1900)),
		NO(TO("239.255.255.250", TCP, 1900)),
		NO(TO("239.255.255.250", UDP, 1901)),
		/* nobody has said who is the gateway now */
		YES(TO("10.0.0.1", IPPROTO_ICMP, 8)),
		YES(TO("10.0.0.2", IPPROTO_ICMP, 8)),
		NO(TO("10.0.0.2", IPPROTO_ICMP, 13)),
		NO(TO("fd00::2", IPPROTO_ICMPV6, 128)),
		/* the effects of listeners, on neighbours alone */
		YES(TO("10.0.0.8", UDP, 55555), .local_port = 5353),
		YES(TO("fe80::8", UDP, 55555), .local_port = 5353),
		NO(TO("203.0.113.8", UDP, 55555), .local_port = 5353),
		NO(TO("10.0.0.8", TCP, 55555), .local_port = 22),
		NO(TO("10.0.255.255", UDP, 55555), .local_port = 5353, .places = PLACE_BROADCAST),
		/* the stack's own */
		YES(TO("224.0.0.22", IPPROTO_IGMP, 0)),
		NO(TO("10.0.0.8", IPPROTO_IGMP, 0)),
		YES(TO("ff02::1:ff00:1", IPPROTO_ICMPV6, 135)),
		YES(TO("fe80::1", IPPROTO_ICMPV6, 136)),
		YES(TO("ff02::16", IPPROTO_ICMPV6, 143)),
		NO(TO("2001:db8::1", IPPROTO_ICMPV6, 135)),
		NO(TO("ff02::1", IPPROTO_ICMPV6, 128)),
		/* what is over, what belongs to it, what stays here */
		YES(TO("8.8.8.8", TCP, 1), .state = STATE_ESTABLISHED),
		YES(TO("8.8.8.8", IPPROTO_ICMP, 3), .state = STATE_RELATED),
		YES(TO("2001:db8::1", IPPROTO_ICMPV6, 1), .state = STATE_RELATED),
		NO(TO("8.8.8.8", TCP, 1), .state = STATE_RELATED),
		NO(TO("8.8.8.8", IPPROTO_ICMP, 3)),
		YES(TO("127.0.0.1", TCP, 631), .loopback = true),
		YES(TO("10.0.0.9", TCP, 1), .places = PLACE_LOCAL),
	};
	struct rules_options options = RULES_OPTIONS_DEFAULT;
	struct scene scene = device_scene(&options);
	static const struct {
		const char *name;
		const char *address;
	} answers[] = {
		{"api.example.com", "198.51.100.77"},	{"api.example.com", "2001:db8:77::1"},
		{"x.example.net", "198.51.100.79"},	{"time.example.com", "198.51.100.80"},
		{"asked.example.org", "198.51.100.78"}, {"other.example.org", "198.51.100.78"}};

	(void)state;
	for (size_t i = 0; i < array_length(answers); i++) {
		struct ip_address address = address_of(answers[i].address);

		(void)scene_answer(&scene, answers[i].name, &address, 60, 0);
	}
	judge_all(&scene, cases, array_length(cases));
	scene_end(&scene);
}

static void what_reaches_a_device(void **state)
{
	static const struct judged cases[] = {
		YES(FROM("203.0.113.7", TCP, 22), .opens = true),
		YES(FROM("2001:db8::1", TCP, 22), .opens = true),
		YES(FROM("203.0.113.7", TCP, 80)),
		NO(FROM("2001:db8::1", TCP, 80)),
		NO(FROM("203.0.113.7", UDP, 22)),
		NO(FROM("203.0.113.7", TCP, 631)),
		YES(FROM("fd00::1", TCP, 8080), .local = "fd00::9"),
		NO(FROM("fd00::1", TCP, 8080), .local = "fd00::8"),
		NO(FROM("10.0.0.1", TCP, 8080)),
		YES(FROM("10.0.0.1", TCP, 8081)),
		NO(FROM("10.0.0.1", TCP, 8081), .local = "10.0.0.8"),
		NO(FROM("10.0.0.1", UDP, 323)),
		YES(FROM("10.0.0.1", UDP, 5353), .local = "224.0.0.251"),
		NO(FROM("203.0.113.7", TCP, 22), .state = STATE_INVALID),
		YES(FROM("203.0.113.7", TCP, 1), .state = STATE_ESTABLISHED),
		YES(FROM("203.0.113.7", IPPROTO_ICMP, 0), .port = 3, .state = STATE_RELATED),
		NO(FROM("203.0.113.7", TCP, 1), .state = STATE_RELATED),
		NO(FROM("203.0.113.7", IPPROTO_ICMP, 0), .port = 8),
		YES(FROM("127.0.0.1", TCP, 631), .loopback = true),
		/* offers to who asked everybody */
		YES(FROM("10.0.0.1", UDP, 68), .port = 67),
		NO(FROM("10.0.0.1", UDP, 68), .port = 66),
		NO(FROM("10.0.0.1", UDP, 69), .port = 67),
		NO(FROM("fe80::1", UDP, 546), .port = 547),
		/* the stack's: only neighbours have a hop limit of 255 left */
		YES(FROM("fe80::1", IPPROTO_ICMPV6, 0), .port = 134, .hops = 255),
		NO(FROM("fe80::1", IPPROTO_ICMPV6, 0), .port = 134, .hops = 254),
		YES(FROM("fe80::1", IPPROTO_ICMPV6, 0), .port = 130, .hops = 1),
		NO(FROM("2001:db8::1", IPPROTO_ICMPV6, 0), .port = 130, .hops = 1),
		NO(FROM("fe80::1", IPPROTO_ICMPV6, 0), .port = 128, .hops = 255),
		YES(FROM("10.0.0.1", IPPROTO_IGMP, 0), .local = "224.0.0.1"),
	};
	struct rules_options options = RULES_OPTIONS_DEFAULT;
	struct scene scene = device_scene(&options);

	(void)state;
	judge_all(&scene, cases, array_length(cases));
	scene_end(&scene);
}

static void who_asked_a_listener_is_answered_from_any_port(void **state)
{
	static const struct wire question = {FROM("10.0.0.7", UDP, 5353), .port = 33333};
	static const struct wire from_afar = {FROM("203.0.113.7", UDP, 5353), .port = 33333};
	static const struct wire elsewhere = {FROM("10.0.0.7", UDP, 5354), .port = 33334};
	static const struct wire answer = {TO("10.0.0.7", UDP, 33333)};
	static const struct wire answer_afar = {TO("203.0.113.7", UDP, 33333)};
	static const struct wire another = {TO("10.0.0.7", UDP, 33334)};
	struct rules_options options = RULES_OPTIONS_DEFAULT;
	struct scene scene = device_scene(&options);

	(void)state;
	assert_false(permits(&scene, &answer, SECONDS(1)));
	assert_true(permits(&scene, &question, SECONDS(1)));
	assert_true(permits(&scene, &from_afar, SECONDS(1)));
	assert_false(permits(&scene, &elsewhere, SECONDS(1)));
	assert_true(permits(&scene, &answer, SECONDS(10)));
	assert_false(permits(&scene, &answer, SECONDS(11)));
	assert_false(permits(&scene, &answer_afar, SECONDS(2)));
	assert_false(permits(&scene, &another, SECONDS(2)));
	scene_end(&scene);
}

static void a_group_that_was_asked_may_answer(void **state)
{
	static const struct wire to_group = {TO("239.255.255.250", UDP, 1900), .local_port = 41000};
	static const struct wire to_all = {TO("10.0.0.255", UDP, 7000), .local_port = 41001,
					   .places = PLACE_BROADCAST};
	static const struct wire to_group6 = {TO("ff02::c", UDP, 1900), .local_port = 41004};
	static const struct wire to_address = {TO("239.1.2.3", UDP, 7777), .local_port = 41005};
	static const struct wire to_one = {TO("10.0.0.2", UDP, 7000), .local_port = 41002};
	static const struct wire refused = {TO("239.255.255.250", UDP, 1901), .local_port = 41003};
	static const struct judged before[] = {NO(FROM("10.0.0.7", UDP, 41000)),
					       NO(FROM("10.0.0.7", UDP, 41001))};
	static const struct judged after[] = {
		YES(FROM("10.0.0.7", UDP, 41000)), NO(FROM("203.0.113.7", UDP, 41000)),
		YES(FROM("fe80::7", UDP, 41004)),  YES(FROM("10.0.0.7", UDP, 41005)),
		NO(FROM("10.0.0.7", TCP, 41000)),  YES(FROM("10.0.0.7", UDP, 41001)),
		NO(FROM("10.0.0.7", UDP, 41002)),  NO(FROM("10.0.0.7", UDP, 41003)),
	};
	struct rules_options options = RULES_OPTIONS_DEFAULT;
	struct scene scene = device_scene(&options);

	(void)state;
	judge_all(&scene, before, array_length(before));
	assert_true(permits(&scene, &to_group, SECONDS(1)));
	assert_true(permits(&scene, &to_group6, SECONDS(1)));
	assert_true(permits(&scene, &to_address, SECONDS(1)));
	assert_true(permits(&scene, &to_all, SECONDS(1)));
	assert_true(permits(&scene, &to_one, SECONDS(1)));
	assert_false(permits(&scene, &refused, SECONDS(1)));
	judge_all(&scene, after, array_length(after));
	assert_false(permits(&scene, &after[0].wire, SECONDS(11)));
	scene_end(&scene);
}

static void what_is_known_from_learning_is_there_at_once(void **state)
{
	static const struct wire known = {TO("198.51.100.1", TCP, 443)};
	static const struct wire known6 = {TO("2001:db8:9::1", TCP, 443)};
	static const struct wire class = {TO("198.51.100.2", UDP, 5000)};
	static const struct wire private = {TO("10.0.0.5", TCP, 443)};
	static const struct wire gone = {TO("198.51.100.3", TCP, 443)};
	struct rules_options options = RULES_OPTIONS_DEFAULT;
	struct scene scene = device_scene(&options);

	(void)state;
	assert_false(permits(&scene, &known, 0));
	rule_judge_free(scene.judge);
	assert_int_equal(rules_seed(scene.program, scene.profile, 60), 3);
	assert_int_equal(rule_judge_new(scene.program, &scene.judge), 0);
	assert_true(permits(&scene, &known, SECONDS(1)));
	assert_true(permits(&scene, &known6, SECONDS(1)));
	assert_true(permits(&scene, &class, SECONDS(1)));
	assert_false(permits(&scene, &private, SECONDS(1)));
	assert_false(permits(&scene, &gone, SECONDS(1)));
	assert_false(permits(&scene, &known, SECONDS(61)));
	scene_end(&scene);
}

static void surroundings_say_who_is_who(void **state)
{
	const struct ip_address resolvers[] = {address_of("198.51.100.53")};
	const struct ip_address gateways[] = {address_of("10.0.0.1"), address_of("fe80::1")};
	struct rule_member on_link[] = {
		{.address = address_of("2001:db8:5::"), .prefix_length = 64},
		{.address = address_of("10.0.0.0"), .prefix_length = 24},
		{.address = address_of("0.0.0.0"), .prefix_length = 0},
	};
	const struct rules_surroundings surroundings = {
		.known = true,
		.resolvers = resolvers,
		.resolver_count = array_length(resolvers),
		.gateways = gateways,
		.gateway_count = array_length(gateways),
		.on_link = on_link,
		.on_link_count = array_length(on_link),
	};
	static const struct judged cases[] = {
		YES(TO("198.51.100.53", UDP, 53)),   YES(TO("9.9.9.9", UDP, 53)),
		NO(TO("198.51.100.54", UDP, 53)),    YES(TO("10.0.0.1", IPPROTO_ICMP, 8)),
		NO(TO("10.0.0.2", IPPROTO_ICMP, 8)), YES(TO("2001:db8:5::7", TCP, 9000)),
		NO(TO("2001:db8:6::7", TCP, 9000)),  NO(TO("203.0.113.4", TCP, 9000)),
	};
	struct rules_options options = RULES_OPTIONS_DEFAULT;
	struct scene scene = device_scene(&options);
	const struct rule_set *lan;

	(void)state;
	rule_judge_free(scene.judge);
	rule_program_free(scene.program);
	scene_rules(&scene, &options, &surroundings);
	judge_all(&scene, cases, array_length(cases));
	/* 10.0.0.0/24 lies in 10.0.0.0/8 */
	lan = &scene.program->sets[rule_program_find_set(scene.program, RULES_SET_LAN)];
	assert_int_equal(lan->member_count, 8);
	assert_int_not_equal(rule_program_find_set(scene.program, RULES_SET_RESOLVERS), RULE_NONE);
	assert_int_not_equal(rule_program_find_set(scene.program, RULES_SET_GATEWAYS), RULE_NONE);
	scene_end(&scene);
}

static void audit_reports_and_refuses_nothing(void **state)
{
	static const struct judged reported[] = {
		YES(TO("8.8.8.8", TCP, 443)),
		YES(TO("10.0.0.255", TCP, 1), .places = PLACE_BROADCAST),
		YES(FROM("8.8.8.8", TCP, 23)),
	};
	static const struct wire permitted = {TO("203.0.113.1", TCP, 8883)};
	static const struct wire forwarded = {TO("203.0.113.1", TCP, 8883)};
	static const struct wire question = {TO("10.0.0.3", UDP, 53)};
	struct rules_options options = RULES_OPTIONS_DEFAULT;
	struct rule_packet packet = packet_of(&forwarded);
	struct rule_outcome outcome;
	struct scene scene;

	(void)state;
	options.report_only = true;
	options.reject = true;
	scene = device_scene(&options);
	for (size_t i = 0; i < array_length(reported); i++) {
		outcome = scene_judge(&scene, &reported[i].wire, SECONDS(1));
		assert_int_equal(outcome.verdict, RULE_PERMIT);
		assert_true(outcome.reported);
	}
	assert_false(scene_judge(&scene, &permitted, SECONDS(1)).reported);
	packet.hook = HOOK_FORWARD;
	outcome = rule_judge_packet(scene.judge, &packet, SECONDS(1));
	assert_int_equal(outcome.verdict, RULE_PERMIT);
	assert_true(outcome.reported);
	outcome = scene_judge(&scene, &question, SECONDS(1));
	assert_non_null(outcome.held_by);
	assert_true(outcome.held_by->passes_unheard);
	scene_end(&scene);
}

static void refused_is_dropped_or_rejected(void **state)
{
	static const struct wire refused[] = {{TO("8.8.8.8", TCP, 443)},
					      {FROM("8.8.8.8", UDP, 23)}};
	/* the reset for what was refused is not refused; what a helper expects is */
	static const struct wire reset = {TO("8.8.8.8", TCP, 50000), .state = STATE_RELATED};
	static const struct wire opening = {TO("8.8.8.8", TCP, 50000), .state = STATE_RELATED,
					    .opens = true};
	static const struct wire late = {TO("8.8.8.8", TCP, 1), .state = STATE_INVALID};

	(void)state;
	for (int reject = 0; reject < 2; reject++) {
		struct rules_options options = RULES_OPTIONS_DEFAULT;
		struct rule_outcome outcome;
		struct scene scene;

		options.reject = reject;
		scene = device_scene(&options);
		for (size_t i = 0; i < array_length(refused); i++) {
			outcome = scene_judge(&scene, &refused[i], SECONDS(1));
			assert_int_equal(outcome.verdict, reject ? RULE_REJECT : RULE_DROP);
			assert_true(outcome.reported);
			assert_int_equal(outcome.rule->match.has_protocol,
					 reject && refused[i].protocol == TCP);
		}
		assert_int_equal(permits(&scene, &reset, SECONDS(1)), reject);
		assert_false(permits(&scene, &opening, SECONDS(1)));
		outcome = scene_judge(&scene, &late, SECONDS(1));
		assert_int_equal(outcome.verdict, RULE_DROP);
		assert_false(outcome.reported);
		scene_end(&scene);
	}
}

/* Everybody's networks are full of these. */
static void what_is_said_to_all_is_dropped_and_not_told(void **state)
{
	static const struct wire cases[] = {
		{FROM("10.0.0.7", UDP, 137), .local = "10.255.255.255", .places = PLACE_BROADCAST},
		{FROM("10.0.0.7", UDP, 1900), .local = "239.255.255.250"},
		{FROM("fe80::7", UDP, 5355), .local = "ff02::1:3"},
		{FROM("203.0.113.7", TCP, 23), .state = STATE_INVALID},
	};
	struct rules_options options = RULES_OPTIONS_DEFAULT;
	struct scene scene = device_scene(&options);

	(void)state;
	for (size_t i = 0; i < array_length(cases); i++) {
		struct rule_outcome outcome = scene_judge(&scene, &cases[i], SECONDS(1));

		assert_int_equal(outcome.verdict, RULE_DROP);
		assert_false(outcome.reported);
	}
	scene_end(&scene);
}

static void inbound_options(void **state)
{
	static const struct wire ping = {FROM("203.0.113.7", IPPROTO_ICMP, 0), .port = 8};
	static const struct wire ping6 = {FROM("2001:db8::7", IPPROTO_ICMPV6, 0), .port = 128};
	static const struct wire neighbour = {FROM("10.0.0.7", TCP, 22)};
	static const struct wire stranger = {FROM("203.0.113.7", TCP, 22)};
	struct rules_options options = RULES_OPTIONS_DEFAULT;
	struct scene scene;
	const struct rule *rule;

	(void)state;
	options.answer_ping = true;
	options.inbound_from_lan = true;
	options.inbound_per_s = 30;
	scene = device_scene(&options);
	assert_true(permits(&scene, &ping, SECONDS(1)));
	assert_true(permits(&scene, &ping6, SECONDS(1)));
	assert_false(permits(&scene, &stranger, SECONDS(1)));
	assert_true(permits(&scene, &neighbour, SECONDS(1)));
	rule = scene_judge(&scene, &neighbour, SECONDS(1)).rule;
	assert_int_equal(rule->match.rate_per_s, 30);
	assert_true(rule->match.burst > 0);
	assert_true(rule->match.rate_per_source);
	assert_int_equal(rule->match.states & (STATE_ESTABLISHED | STATE_INVALID), 0);
	scene_end(&scene);

	options.inbound_per_s = 0;
	scene = device_scene(&options);
	rule = scene_judge(&scene, &neighbour, SECONDS(1)).rule;
	assert_int_equal(rule->match.rate_per_s, 0);
	assert_false(rule->match.rate_per_source);
	scene_end(&scene);
}

static void what_is_passed_on(void **state)
{
	static const char bridge[] =
		"\"bridge\": {\"lan\": [\"eth1\"], \"wan\": \"eth0\", \"devices\": []}";
	static const struct wire wire = {TO("203.0.113.1", TCP, 8883), .state = STATE_ESTABLISHED};
	struct rule_packet packet = packet_of(&wire);
	struct rules_options options = RULES_OPTIONS_DEFAULT;
	struct rule_outcome outcome;
	struct scene scene = device_scene(&options);

	(void)state;
	packet.hook = HOOK_FORWARD;
	outcome = rule_judge_packet(scene.judge, &packet, SECONDS(1));
	assert_int_equal(outcome.verdict, RULE_DROP);
	assert_true(outcome.reported);
	scene_end(&scene);

	scene = scene_of(bridge, NULL, &options);
	assert_int_equal(rule_program_find_chain(scene.program, "forward"), RULE_NONE);
	assert_int_equal(rule_program_find_chain(scene.program, "refuse-forward"), RULE_NONE);
	scene_end(&scene);

	options.leave_forwarded = true;
	scene = device_scene(&options);
	assert_int_equal(rule_program_find_chain(scene.program, "forward"), RULE_NONE);
	assert_int_equal(rule_judge_packet(scene.judge, &packet, SECONDS(1)).verdict, RULE_PERMIT);
	scene_end(&scene);
}

static void numbers_of_the_options_are_the_programs(void **state)
{
	struct rules_options options = RULES_OPTIONS_DEFAULT;
	struct scene scene;

	(void)state;
	options.first_queue = 7;
	options.log_group = 8;
	options.permit_unknown_names = true;
	scene = device_scene(&options);
	assert_int_equal(scene.program->first_queue, 7);
	assert_int_equal(scene.program->log_group, 8);
	assert_true(scene.program->permits_unknown_names);
	assert_true(rule_program_permits_name(scene.program, "asked.example.org"));
	assert_false(rule_program_permits_name(scene.program, "other.example.org"));
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_device_sends),
		cmocka_unit_test(what_reaches_a_device),
		cmocka_unit_test(who_asked_a_listener_is_answered_from_any_port),
		cmocka_unit_test(a_group_that_was_asked_may_answer),
		cmocka_unit_test(what_is_known_from_learning_is_there_at_once),
		cmocka_unit_test(surroundings_say_who_is_who),
		cmocka_unit_test(audit_reports_and_refuses_nothing),
		cmocka_unit_test(refused_is_dropped_or_rejected),
		cmocka_unit_test(what_is_said_to_all_is_dropped_and_not_told),
		cmocka_unit_test(inbound_options),
		cmocka_unit_test(what_is_passed_on),
		cmocka_unit_test(numbers_of_the_options_are_the_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
