/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "rule_scene.h"

/* A program of one judge chain and one beside it, to put rules into. */
struct bench {
	struct rule_program *program;
	struct rule_judge *judge;
};

enum { OUT, ASIDE, HELD };

static struct bench bench_new(void)
{
	static const struct {
		const char *name;
		enum rule_hook hook;
	} chains[] = {{"out", HOOK_OUT}, {"aside", HOOK_NONE}, {"hold-out", HOOK_HOLD_OUT}};
	struct bench bench = {.program = rule_program_new()};

	assert_non_null(bench.program);
	for (size_t i = 0; i < array_length(chains); i++) {
		struct rule_chain *chain = rule_program_add_chain(bench.program);

		assert_non_null(chain);
		snprintf(chain->name, sizeof(chain->name), "%s", chains[i].name);
		chain->hook = chains[i].hook;
	}
	return bench;
}

static struct rule *add_rule(struct bench *bench, size_t chain, enum rule_verdict verdict)
{
	struct rule *rule = rule_chain_add_rule(&bench->program->chains[chain]);

	assert_non_null(rule);
	rule->verdict = verdict;
	return rule;
}

static struct rule_set *add_set(struct bench *bench, enum rule_set_kind kind)
{
	struct rule_set *set = rule_program_add_set(bench->program);

	assert_non_null(set);
	set->kind = kind;
	set->families = RULE_BOTH_FAMILIES;
	return set;
}

static struct rule_outcome judge_at(struct bench *bench, const struct wire *wire, uint64_t now_ns)
{
	struct rule_packet packet = packet_of(wire);

	if (!bench->judge)
		assert_int_equal(rule_judge_new(bench->program, &bench->judge), 0);
	return rule_judge_packet(bench->judge, &packet, now_ns);
}

static bool lets_pass(struct bench *bench, const struct wire *wire, uint64_t now_ns)
{
	return judge_at(bench, wire, now_ns).verdict == RULE_PERMIT;
}

static void bench_end(struct bench *bench)
{
	rule_judge_free(bench->judge);
	rule_program_free(bench->program);
}

static const struct wire some = {.remote = "203.0.113.7", .protocol = IPPROTO_TCP, .port = 443};

static void the_end_of_a_chain_permits(void **state)
{
	struct bench bench = bench_new();
	struct rule_outcome outcome = judge_at(&bench, &some, 0);

	(void)state;
	assert_int_equal(outcome.verdict, RULE_PERMIT);
	assert_null(outcome.rule);
	assert_null(outcome.held_by);
	assert_false(outcome.reported);
	bench_end(&bench);
}

static void to_permit_beside_is_to_come_back(void **state)
{
	struct bench bench = bench_new();
	struct rule_outcome outcome;

	(void)state;
	add_rule(&bench, OUT, RULE_JUMP)->chain = ASIDE;
	(void)add_rule(&bench, ASIDE, RULE_REPORT);
	(void)add_rule(&bench, ASIDE, RULE_PERMIT);
	(void)add_rule(&bench, ASIDE, RULE_REJECT);
	(void)add_rule(&bench, OUT, RULE_DROP);
	outcome = judge_at(&bench, &some, 0);
	assert_int_equal(outcome.verdict, RULE_DROP);
	assert_ptr_equal(outcome.rule, &bench.program->chains[OUT].rules[1]);
	assert_true(outcome.reported);
	bench_end(&bench);
}

static void to_permit_in_a_hooked_chain_ends_it(void **state)
{
	struct bench bench = bench_new();

	(void)state;
	(void)add_rule(&bench, OUT, RULE_PERMIT);
	(void)add_rule(&bench, OUT, RULE_DROP);
	assert_true(lets_pass(&bench, &some, 0));
	bench_end(&bench);
}

static void a_held_packet_is_judged_as_released(void **state)
{
	struct bench bench = bench_new();
	struct rule_outcome outcome;

	(void)state;
	add_rule(&bench, HELD, RULE_HOLD)->queue = RULE_QUEUE_FLOWS;
	add_rule(&bench, HELD, RULE_HOLD)->queue = RULE_QUEUE_NAMES;
	(void)add_rule(&bench, OUT, RULE_REJECT);
	outcome = judge_at(&bench, &some, 0);
	assert_int_equal(outcome.verdict, RULE_REJECT);
	assert_ptr_equal(outcome.held_by, &bench.program->chains[HELD].rules[0]);
	bench_end(&bench);
}

/* What a rule asks for, and what has it and has it not. */
static void set_loopback(struct rule_match *match)
{
	match->loopback = true;
}

static void set_states(struct rule_match *match)
{
	match->states = STATE_ESTABLISHED | STATE_RELATED;
}

static void set_places(struct rule_match *match)
{
	match->places = PLACE_MULTICAST;
}

static void set_family(struct rule_match *match)
{
	match->families = RULE_IPV6;
}

static void set_protocol(struct rule_match *match)
{
	match->has_protocol = true;
	match->protocol = IPPROTO_UDP;
}

static void set_type(struct rule_match *match)
{
	match->has_icmp_type = true;
	match->icmp_type = 8;
}

static void set_remote_ports(struct rule_match *match)
{
	match->has_remote_ports = true;
	match->remote_ports[0] = 442;
	match->remote_ports[1] = 443;
}

static void set_local_ports(struct rule_match *match)
{
	match->has_local_ports = true;
	match->local_ports[0] = match->local_ports[1] = 68;
}

static void set_link_scope(struct rule_match *match)
{
	match->link_scope = true;
}

static void set_opens(struct rule_match *match)
{
	match->opens = true;
}

static void set_user(struct rule_match *match)
{
	match->has_user = true;
	match->user = 7;
}

#define TCP .remote = "203.0.113.7", .protocol = IPPROTO_TCP

static void every_condition_counts(void **state)
{
	static const struct {
		void (*ask)(struct rule_match *match);
		struct wire has;
		struct wire lacks;
	} cases[] = {
		{set_loopback, {TCP, .loopback = true}, {TCP}},
		{set_states, {TCP, .state = STATE_RELATED}, {TCP, .state = STATE_INVALID}},
		{set_places, {TCP, .places = PLACE_MULTICAST}, {TCP, .places = PLACE_LOCAL}},
		{set_family, {.remote = "2001:db8::1", .protocol = IPPROTO_TCP}, {TCP}},
		{set_protocol, {.remote = "203.0.113.7", .protocol = IPPROTO_UDP}, {TCP}},
		{set_type,
		 {.remote = "203.0.113.7", .protocol = IPPROTO_ICMP, .port = 8},
		 {.remote = "203.0.113.7", .protocol = IPPROTO_ICMP, .port = 9}},
		{set_remote_ports, {TCP, .port = 442}, {TCP, .port = 444}},
		{set_remote_ports, {TCP, .port = 443}, {TCP, .port = 441}},
		{set_local_ports, {TCP, .local_port = 68}, {TCP, .local_port = 67}},
		{set_link_scope, {TCP, .hops = 255}, {TCP, .hops = 254}},
		{set_opens, {TCP, .opens = true}, {TCP}},
		{set_user, {TCP, .user = 7}, {TCP, .user = 8}},
		{set_user, {TCP, .user = 7}, {TCP}},
	};

	(void)state;
	for (size_t i = 0; i < array_length(cases); i++) {
		struct bench bench = bench_new();

		cases[i].ask(&add_rule(&bench, OUT, RULE_DROP)->match);
		if (lets_pass(&bench, &cases[i].has, 0) || !lets_pass(&bench, &cases[i].lacks, 0))
			fail_msg("case %zu", i);
		bench_end(&bench);
	}
}

struct look {
	enum rule_set_kind kind;
	enum rule_side side;
	const char *member; /* prefix */
	uint8_t protocol;
	uint16_t port;
	uint16_t last_port;
	struct wire wire;
	bool found;
};

#define UDP_TO(address, to)                                                                        \
	{                                                                                          \
		.remote = address, .protocol = IPPROTO_UDP, .port = to                             \
	}

static const struct look looks[] = {
	{SET_ADDRESS, SIDE_REMOTE, "203.0.113.7", 0, 0, 0, UDP_TO("203.0.113.7", 5), true},
	{SET_ADDRESS, SIDE_REMOTE, "203.0.113.7", 0, 0, 0, UDP_TO("203.0.113.8", 5), false},
	{SET_ADDRESS, SIDE_LOCAL, "10.0.0.9", 0, 0, 0, UDP_TO("203.0.113.8", 5), true},
	{SET_ADDRESS, SIDE_REMOTE, "2001:db8::1", 0, 0, 0, UDP_TO("2001:db8::1", 5), true},
	{SET_ADDRESS_PORT, SIDE_REMOTE, "203.0.113.7", IPPROTO_UDP, 5, 5, UDP_TO("203.0.113.7", 5),
	 true},
	{SET_ADDRESS_PORT, SIDE_REMOTE, "203.0.113.7", IPPROTO_UDP, 5, 5, UDP_TO("203.0.113.7", 6),
	 false},
	{SET_ADDRESS_PORT, SIDE_REMOTE, "203.0.113.7", IPPROTO_TCP, 5, 5, UDP_TO("203.0.113.7", 5),
	 false},
	{SET_ADDRESS_PORT, SIDE_LOCAL, "10.0.0.9", IPPROTO_UDP, 40000, 40000,
	 UDP_TO("203.0.113.7", 5), true},
	{SET_ADDRESS_PORT,
	 SIDE_REMOTE,
	 "203.0.113.7",
	 IPPROTO_ICMP,
	 0,
	 0,
	 {.remote = "203.0.113.7", .protocol = IPPROTO_ICMP},
	 false},
	{SET_PREFIX, SIDE_REMOTE, "203.0.112.0/23", 0, 0, 0, UDP_TO("203.0.113.7", 5), true},
	{SET_PREFIX, SIDE_REMOTE, "203.0.112.0/24", 0, 0, 0, UDP_TO("203.0.113.7", 5), false},
	/* a longer prefix is not found by what is left of an address that is cut shorter */
	{SET_PREFIX, SIDE_REMOTE, "0.0.0.0/32", 0, 0, 0, UDP_TO("9.9.9.9", 5), false},
	{SET_PREFIX, SIDE_REMOTE, "2001:db8::/33", 0, 0, 0, UDP_TO("2001:db8:7fff::1", 5), true},
	{SET_PREFIX, SIDE_REMOTE, "2001:db8::/33", 0, 0, 0, UDP_TO("2001:db8:8000::1", 5), false},
	{SET_PREFIX_PORT, SIDE_REMOTE, "203.0.113.0/24", IPPROTO_UDP, 5, 5,
	 UDP_TO("203.0.113.7", 5), true},
	{SET_PREFIX_PORT, SIDE_REMOTE, "203.0.113.0/24", IPPROTO_UDP, 5, 5,
	 UDP_TO("203.0.113.7", 4), false},
	{SET_PORT, SIDE_REMOTE, "0.0.0.0", 0, 5, 9, UDP_TO("203.0.113.7", 9), true},
	{SET_PORT, SIDE_REMOTE, "0.0.0.0", 0, 5, 9, UDP_TO("2001:db8::1", 5), true},
	{SET_PORT, SIDE_REMOTE, "0.0.0.0", 0, 5, 9, UDP_TO("203.0.113.7", 10), false},
	{SET_PORT, SIDE_LOCAL, "0.0.0.0", 0, 40000, 40000, UDP_TO("203.0.113.7", 10), true},
	{SET_PORT,
	 SIDE_REMOTE,
	 "0.0.0.0",
	 0,
	 0,
	 9,
	 {.remote = "203.0.113.7", .protocol = IPPROTO_ICMP},
	 false},
};

static void sets_are_looked_up_by_their_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * array_length(looks); i++) {
		const struct look *look = &looks[i / 2];
		struct bench bench = bench_new();
		struct rule_set *set = add_set(&bench, look->kind);
		struct rule_member member = {.protocol = look->protocol,
					     .port = look->port,
					     .last_port = look->last_port};
		unsigned int length;
		bool absent = i % 2;

		assert_int_equal(ip_parse_prefix(look->member, &member.address, &length), 0);
		member.prefix_length = (uint8_t)length;
		assert_int_equal(rule_set_add(set, &member), 0);
		add_rule(&bench, OUT, RULE_DROP)->match.lookups[0] = (struct rule_lookup){
			.set = 0, .side = (uint8_t)look->side, .absent = absent};
		if (lets_pass(&bench, &look->wire, 0) != (look->found == absent))
			fail_msg("look %zu, %s", i / 2, absent ? "absent" : "present");
		bench_end(&bench);
	}
}

static void all_look_ups_have_to_hold(void **state)
{
	struct bench bench = bench_new();
	struct rule_member member = {.address = address_of("203.0.113.7"), .prefix_length = 32};
	struct rule_match *match;

	(void)state;
	assert_int_equal(rule_set_add(add_set(&bench, SET_ADDRESS), &member), 0);
	(void)add_set(&bench, SET_ADDRESS);
	match = &add_rule(&bench, OUT, RULE_DROP)->match;
	match->lookups[0].set = 0;
	match->lookups[2].set = 1;
	assert_true(lets_pass(&bench, &some, 0));
	assert_int_equal(rule_judge_add(bench.judge, 1, &member, 0), 0);
	assert_false(lets_pass(&bench, &some, 0));
	bench_end(&bench);
}

static void members_go_when_their_time_is_over(void **state)
{
	struct bench bench = bench_new();
	struct rule_set *set = add_set(&bench, SET_ADDRESS);
	struct rule_member member = {
		.address = address_of("203.0.113.7"), .prefix_length = 32, .timeout_s = 10};

	(void)state;
	set->has_timeouts = true;
	assert_int_equal(rule_set_add(set, &member), 0);
	add_rule(&bench, OUT, RULE_DROP)->match.lookups[0].set = 0;
	/* its own from the first moment */
	assert_false(lets_pass(&bench, &some, SECONDS(1000)));
	assert_false(lets_pass(&bench, &some, SECONDS(1010) - 1));
	assert_true(lets_pass(&bench, &some, SECONDS(1010)));
	assert_int_equal(rule_judge_add(bench.judge, 0, &member, SECONDS(1010)), 0);
	assert_false(lets_pass(&bench, &some, SECONDS(1019)));
	assert_true(lets_pass(&bench, &some, SECONDS(1020)));
	member.timeout_s = 0;
	assert_int_equal(rule_judge_add(bench.judge, 0, &member, SECONDS(1020)), 0);
	assert_false(lets_pass(&bench, &some, SECONDS(1000000)));
	bench_end(&bench);
}

static void notes_are_members_for_a_while(void **state)
{
	static const struct wire other = {
		.remote = "203.0.113.7", .protocol = IPPROTO_TCP, .port = 444};
	static const struct {
		enum rule_set_kind kind;
		enum rule_side side;
		bool other_too; /* the same address, or the same local port */
	} cases[] = {{SET_ADDRESS_PORT, SIDE_REMOTE, false},
		     {SET_ADDRESS, SIDE_REMOTE, true},
		     {SET_PORT, SIDE_REMOTE, false},
		     {SET_PORT, SIDE_LOCAL, true}};

	(void)state;
	for (size_t i = 0; i < array_length(cases); i++) {
		struct bench bench = bench_new();
		struct rule *rule;

		add_set(&bench, cases[i].kind)->has_timeouts = true;
		rule = add_rule(&bench, OUT, RULE_DROP);
		rule->match.lookups[0] =
			(struct rule_lookup){.set = 0, .side = (uint8_t)cases[i].side};
		rule = add_rule(&bench, OUT, RULE_NOTE);
		rule->set = 0;
		rule->side = (uint8_t)cases[i].side;
		rule->seconds = 10;
		rule->match.has_remote_ports = true;
		rule->match.remote_ports[0] = rule->match.remote_ports[1] = 443;
		assert_true(lets_pass(&bench, &other, SECONDS(1)));
		assert_true(lets_pass(&bench, &some, SECONDS(1)));
		assert_false(lets_pass(&bench, &some, SECONDS(10)));
		assert_int_equal(lets_pass(&bench, &other, SECONDS(10)), !cases[i].other_too);
		assert_true(lets_pass(&bench, &some, SECONDS(11)));
		bench_end(&bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_of_a_chain_permits),
		cmocka_unit_test(to_permit_beside_is_to_come_back),
		cmocka_unit_test(to_permit_in_a_hooked_chain_ends_it),
		cmocka_unit_test(a_held_packet_is_judged_as_released),
		cmocka_unit_test(every_condition_counts),
		cmocka_unit_test(sets_are_looked_up_by_their_kind),
		cmocka_unit_test(all_look_ups_have_to_hold),
		cmocka_unit_test(members_go_when_their_time_is_over),
		cmocka_unit_test(notes_are_members_for_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
