/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/cleanup.h"
#include "rule_scene.h"

static struct rule_member prefix_of(const char *text, uint8_t protocol, uint16_t port)
{
	struct rule_member member = {.protocol = protocol, .port = port, .last_port = port};
	unsigned int length;

	assert_int_equal(ip_parse_prefix(text, &member.address, &length), 0);
	member.prefix_length = (uint8_t)length;
	return member;
}

static void add_prefix(struct rule_set *set, const char *text, uint8_t protocol, uint16_t port)
{
	struct rule_member member = prefix_of(text, protocol, port);

	assert_int_equal(rule_set_add(set, &member), 0);
}

static void equal_members_are_one_and_the_longer_timeout_stays(void **state)
{
	static const struct {
		uint32_t first;
		uint32_t second;
		uint32_t kept;
	} cases[] = {{5, 9, 9}, {9, 5, 9}, {5, 0, 0}, {0, 5, 0}};

	(void)state;
	for (size_t i = 0; i < array_length(cases); i++) {
		struct rule_set set = {.kind = SET_ADDRESS, .has_timeouts = true};
		struct rule_member member = prefix_of("192.0.2.1", 0, 0);

		member.timeout_s = cases[i].first;
		assert_int_equal(rule_set_add(&set, &member), 0);
		member.timeout_s = cases[i].second;
		assert_int_equal(rule_set_add(&set, &member), 0);
		add_prefix(&set, "192.0.2.0", 0, 0);
		rule_set_sort(&set);
		assert_int_equal(set.member_count, 2);
		assert_int_equal(set.members[0].address.bytes[3], 0);
		assert_int_equal(set.members[1].timeout_s, cases[i].kept);
		free(set.members);
	}
}

static void prefixes_take_in_what_lies_in_them(void **state)
{
	struct rule_set set = {.kind = SET_PREFIX_PORT};

	(void)state;
	add_prefix(&set, "10.1.2.3/32", 6, 443);
	add_prefix(&set, "10.0.0.0/8", 6, 443);
	add_prefix(&set, "10.1.0.0/16", 6, 443);
	add_prefix(&set, "10.1.0.0/16", 17, 443);
	add_prefix(&set, "10.1.0.0/16", 6, 80);
	add_prefix(&set, "11.0.0.0/8", 6, 443);
	add_prefix(&set, "a00::/8", 6, 443);
	add_prefix(&set, "a00::1/128", 6, 443);
	rule_set_sort(&set);
	assert_int_equal(set.member_count, 5);
	for (size_t i = 0; i < set.member_count; i++)
		assert_true(set.members[i].prefix_length <= 16);
	free(set.members);
}

static void addresses_stay_beside_each_other(void **state)
{
	struct rule_set set = {.kind = SET_ADDRESS_PORT};

	(void)state;
	add_prefix(&set, "10.1.2.3/32", 6, 443);
	add_prefix(&set, "10.1.2.3/32", 6, 444);
	add_prefix(&set, "10.1.2.4/32", 6, 443);
	rule_set_sort(&set);
	assert_int_equal(set.member_count, 3);
	free(set.members);
}

static void ports_that_follow_each_other_are_a_range(void **state)
{
	static const struct {
		uint16_t first;
		uint16_t last;
	} given[] = {{80, 80}, {82, 90}, {81, 81}, {85, 87}, {100, 100}, {65535, 65535}, {0, 0}},
	  kept[] = {{0, 0}, {80, 90}, {100, 100}, {65535, 65535}};
	struct rule_set set = {.kind = SET_PORT};

	(void)state;
	for (size_t i = 0; i < array_length(given); i++) {
		struct rule_member member = {.port = given[i].first, .last_port = given[i].last};

		assert_int_equal(rule_set_add(&set, &member), 0);
	}
	rule_set_sort(&set);
	assert_int_equal(set.member_count, array_length(kept));
	for (size_t i = 0; i < array_length(kept); i++) {
		assert_int_equal(set.members[i].port, kept[i].first);
		assert_int_equal(set.members[i].last_port, kept[i].last);
	}
	free(set.members);
}

/* For names to point at. */
static void add_sets(struct rule_program *program, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct rule_set *set = rule_program_add_set(program);

		assert_non_null(set);
		set->kind = SET_ADDRESS_PORT;
		set->families = RULE_BOTH_FAMILIES;
	}
}

static void add_name(struct rule_program *program, enum profile_peer_kind kind, const char *name,
		     uint16_t set)
{
	struct rule_name *added = rule_program_add_name(program);

	assert_non_null(added);
	*added = (struct rule_name){
		.kind = kind, .name = strdup(name), .set = set, .protocol = 6, .port = 443};
	assert_non_null(added->name);
}

/* Every entry is a set of its own: bit SET of the result. */
static void note_set(void *context, uint16_t set, const struct rule_member *member)
{
	assert_int_equal(member->protocol, 6);
	assert_int_equal(member->port, 443);
	assert_int_equal(member->last_port, 443);
	assert_int_equal(member->timeout_s, 0);
	assert_int_equal(member->prefix_length, member->address.family == 4 ? 32 : 128);
	*(unsigned int *)context |= 1u << set;
}

static unsigned int sets_of(const struct rule_program *program, const char *name,
			    const char *address)
{
	struct ip_address ip = address_of(address);
	unsigned int sets = 0;

	rule_program_members(program, name, &ip, note_set, &sets);
	return sets;
}

static struct rule_program *program_with_names(void)
{
	static const struct {
		enum profile_peer_kind kind;
		const char *name;
	} entries[] = {{PEER_DOMAIN, "example.com"},	 {PEER_HOST, "api.example.com"},
		       {PEER_PATTERN, "n#.example.com"}, {PEER_PATTERN, "a#.b#.example.org"},
		       {PEER_HOST, "example.net"},	 {PEER_DOMAIN, "com"}};
	struct rule_program *program = rule_program_new();

	assert_non_null(program);
	add_sets(program, array_length(entries));
	for (size_t i = 0; i < array_length(entries); i++)
		add_name(program, entries[i].kind, entries[i].name, (uint16_t)i);
	assert_int_equal(string_list_add(&program->questions, "z.example.edu"), 0);
	assert_int_equal(string_list_add(&program->questions, "a.example.edu"), 0);
	rule_program_sort_names(program);
	return program;
}

static void names_are_in_the_sets_of_all_that_cover_them(void **state)
{
	static const struct {
		const char *name;
		unsigned int sets;
	} cases[] = {
		{"api.example.com", 1 << 0 | 1 << 1 | 1 << 5},
		{"x.api.example.com", 1 << 0 | 1 << 5},
		{"example.com", 1 << 0 | 1 << 5},
		{"anexample.com", 1 << 5},
		{"com", 1 << 5},
		{"n12.example.com", 1 << 0 | 1 << 2 | 1 << 5},
		{"n.example.com", 1 << 0 | 1 << 5},
		{"a1.b2.example.org", 1 << 3},
		{"a1.b.example.org", 0},
		{"example.net", 1 << 4},
		{"www.example.net", 0},
		{"net", 0},
		{"", 0},
		{".", 0},
		{".com", 1 << 5},
		{"com.", 0},
	};
	struct rule_program *program = program_with_names();

	(void)state;
	for (size_t i = 0; i < array_length(cases); i++) {
		unsigned int expected = 0;

		for (size_t j = 0; j < program->name_count; j++)
			if (peer_covers_name(program->names[j].kind, program->names[j].name,
					     cases[i].name))
				expected |= 1u << program->names[j].set;
		assert_int_equal(expected, cases[i].sets);
		assert_int_equal(sets_of(program, cases[i].name, "198.51.100.1"), cases[i].sets);
		assert_int_equal(sets_of(program, cases[i].name, "2001:db8::1"), cases[i].sets);
		assert_int_equal(rule_program_permits_name(program, cases[i].name),
				 cases[i].sets != 0);
	}
	rule_program_free(program);
}

static void names_stand_for_public_addresses(void **state)
{
	static const char *const others[] = {
		"10.0.0.1",	   "127.0.0.1", "169.254.1.1", "0.0.0.0", "fe80::1",   "fd00::1",
		"255.255.255.255", "224.0.0.1", "::1",	       "ff02::1", "100.64.0.1"};
	struct rule_program *program = program_with_names();

	(void)state;
	for (size_t i = 0; i < array_length(others); i++)
		assert_int_equal(sets_of(program, "api.example.com", others[i]), 0);
	rule_program_free(program);
}

static void sets_of_one_family_have_its_addresses(void **state)
{
	struct rule_program *program = program_with_names();

	(void)state;
	program->sets[1].families = RULE_IPV6;
	program->sets[5].families = RULE_IPV4;
	assert_int_equal(sets_of(program, "api.example.com", "198.51.100.1"), 1 << 0 | 1 << 5);
	assert_int_equal(sets_of(program, "api.example.com", "2001:db8::1"), 1 << 0 | 1 << 1);
	rule_program_free(program);
}

static void questions_may_be_asked_and_open_nothing(void **state)
{
	struct rule_program *program = program_with_names();

	(void)state;
	assert_true(rule_program_permits_name(program, "a.example.edu"));
	assert_true(rule_program_permits_name(program, "z.example.edu"));
	assert_false(rule_program_permits_name(program, "example.edu"));
	assert_false(rule_program_permits_name(program, "b.a.example.edu"));
	assert_int_equal(sets_of(program, "a.example.edu", "198.51.100.1"), 0);
	rule_program_free(program);
}

static void the_same_name_twice_is_one(void **state)
{
	struct rule_program *program = rule_program_new();

	(void)state;
	assert_non_null(program);
	add_sets(program, 3);
	add_name(program, PEER_HOST, "b.example.com", 1);
	add_name(program, PEER_HOST, "a.example.com", 1);
	add_name(program, PEER_HOST, "b.example.com", 1);
	add_name(program, PEER_HOST, "b.example.com", 2);
	rule_program_sort_names(program);
	assert_int_equal(program->name_count, 3);
	assert_string_equal(program->names[0].name, "a.example.com");
	assert_int_equal(sets_of(program, "b.example.com", "198.51.100.1"), 1 << 1 | 1 << 2);
	rule_program_free(program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_members_are_one_and_the_longer_timeout_stays),
		cmocka_unit_test(prefixes_take_in_what_lies_in_them),
		cmocka_unit_test(addresses_stay_beside_each_other),
		cmocka_unit_test(ports_that_follow_each_other_are_a_range),
		cmocka_unit_test(names_are_in_the_sets_of_all_that_cover_them),
		cmocka_unit_test(names_stand_for_public_addresses),
		cmocka_unit_test(sets_of_one_family_have_its_addresses),
		cmocka_unit_test(questions_may_be_asked_and_open_nothing),
		cmocka_unit_test(the_same_name_twice_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
