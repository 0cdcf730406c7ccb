/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What waits: names for the gate, first packets for their program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/cleanup.h"
#include "rule_scene.h"

#define TCP IPPROTO_TCP
#define UDP IPPROTO_UDP

static int queue_of(struct scene *scene, const struct wire *wire)
{
	const struct rule *rule = scene_judge(scene, wire, SECONDS(1)).held_by;

	return rule ? rule->queue : -1;
}

static void names_wait_for_the_gate(void **state)
{
	static const struct {
		struct wire wire;
		int queue;
	} cases[] = {
		{{TO("10.0.0.3", UDP, 53)}, RULE_QUEUE_NAMES},
		{{TO("8.8.8.8", UDP, 53)}, RULE_QUEUE_NAMES},
		{{TO("2001:db8::53", TCP, 53), .state = STATE_ESTABLISHED}, RULE_QUEUE_NAMES},
		{{TO("127.0.0.53", UDP, 53), .loopback = true}, RULE_QUEUE_NAMES},
		{{FROM("10.0.0.3", UDP, 40000), .port = 53, .state = STATE_ESTABLISHED},
		 RULE_QUEUE_NAMES},
		{{FROM("fd00::53", TCP, 40000), .port = 53}, RULE_QUEUE_NAMES},
		/* as a server */
		{{FROM("10.0.0.3", UDP, 53)}, -1},
		{{TO("10.0.0.3", UDP, 40000), .local_port = 53}, -1},
		{{TO("10.0.0.3", UDP, 5353)}, -1},
	};
	struct rules_options options = RULES_OPTIONS_DEFAULT;
	struct scene scene = device_scene(&options);

	(void)state;
	for (size_t i = 0; i < array_length(cases); i++)
		if (queue_of(&scene, &cases[i].wire) != cases[i].queue)
			fail_msg("case %zu", i);
	scene_end(&scene);
}

#define USER_ALONE  101
#define USER_SHARED 103

static int known_user(const char *name, uint32_t *ret_user)
{
	static const struct {
		const char *name;
		uint32_t user;
	} users[] = {{"root", 0},
		     {"alone", USER_ALONE},
		     {"two", 102},
		     {"three", 104},
		     {"shared", USER_SHARED}};

	for (size_t i = 0; i < array_length(users); i++) {
		if (strcmp(users[i].name, name) == 0) {
			*ret_user = users[i].user;
			return 0;
		}
	}
	return -ENOENT;
}

static int unknown_user(const char *name, uint32_t *ret_user)
{
	return strcmp(name, "shared") == 0 ? -ENOENT : known_user(name, ret_user);
}

static struct scene bound_scene(enum rules_binding binding,
				int (*user_id)(const char *name, uint32_t *ret_user))
{
	static const char *const names[] = {"alone.example.com",   "two.example.com",
					    "shared.example.com",  "root.example.com",
					    "both.example.com",	   "class.example.com",
					    "shared2.example.com", "openclass.example.com"};
	struct rules_options options = RULES_OPTIONS_DEFAULT;
	struct scene scene;

	options.binding = binding;
	options.user_id = user_id;
	scene.profile = golden_profile("users");
	scene_rules(&scene, &options, NULL);
	for (size_t i = 0; i < array_length(names); i++) {
		char text[32];
		struct ip_address address;

		snprintf(text, sizeof(text), "198.51.100.%zu", i);
		address = address_of(text);
		assert_true(scene_answer(&scene, names[i], &address, 60, 0) > 0);
	}
	return scene;
}

static const struct wire to_alone = {TO("198.51.100.0", TCP, 443)};
static const struct wire to_two = {TO("198.51.100.1", TCP, 443)};
static const struct wire to_shared = {TO("198.51.100.2", TCP, 443)};
static const struct wire to_root = {TO("198.51.100.3", TCP, 443)};
static const struct wire to_both = {TO("198.51.100.4", TCP, 443)};
static const struct wire to_class = {TO("198.51.100.5", UDP, 5000)};
static const struct wire to_shared2 = {TO("198.51.100.6", TCP, 443)};
static const struct wire to_open_class = {TO("198.51.100.7", UDP, 5000)};
static const struct wire to_lan = {TO("10.0.0.2", TCP, 1000)};
static const struct wire to_open_lan = {TO("10.0.0.2", TCP, 2000)};
static const struct wire to_prefix = {TO("203.0.113.9", TCP, 1)};
static const struct wire to_dot = {TO("10.0.0.2", TCP, 853)};
static const struct wire to_same = {TO("10.0.0.2", UDP, 5000), .local_port = 6000};

static void first_packets_wait_for_their_program(void **state)
{
	static const struct {
		const struct wire *wire;
		bool held;
	} cases[] = {{&to_alone, true},	     {&to_two, true},	    {&to_shared, true},
		     {&to_root, true},	     {&to_both, false},	    {&to_class, true},
		     {&to_lan, true},	     {&to_open_lan, false}, {&to_prefix, true},
		     {&to_dot, true},	     {&to_same, true},	    {&to_shared2, true},
		     {&to_open_class, false}};

	(void)state;
	for (int binding = BIND_NONE; binding <= BIND_LOOKUP; binding++) {
		struct scene scene = bound_scene((enum rules_binding)binding, known_user);

		for (size_t i = 0; i < array_length(cases); i++) {
			bool held =
				binding == BIND_LOOKUP ? cases[i].held : cases[i].wire == &to_same;
			struct wire wire = *cases[i].wire;

			assert_true(permits(&scene, &wire, SECONDS(1)));
			if (queue_of(&scene, &wire) != (held ? RULE_QUEUE_FLOWS : -1))
				fail_msg("case %zu, binding %d", i, binding);
			/* what a helper expects is a connection of its own */
			wire.state = STATE_RELATED;
			assert_int_equal(queue_of(&scene, &wire), held ? RULE_QUEUE_FLOWS : -1);
			wire.state = STATE_ESTABLISHED;
			assert_int_equal(queue_of(&scene, &wire), -1);
		}
		scene_end(&scene);
	}
}

/* Of that only the rules know: whoever answers is not looked for. */
static void who_asked_a_listener_is_answered_at_once(void **state)
{
	static const struct wire question = {FROM("10.0.0.7", UDP, 1900), .port = 50000};
	static const struct wire answer = {TO("10.0.0.7", UDP, 50000), .local_port = 900};
	struct scene scene = bound_scene(BIND_LOOKUP, NULL);

	(void)state;
	assert_int_equal(queue_of(&scene, &answer), RULE_QUEUE_FLOWS);
	assert_true(permits(&scene, &question, SECONDS(1)));
	assert_int_equal(queue_of(&scene, &answer), -1);
	assert_true(permits(&scene, &answer, SECONDS(1)));
	scene_end(&scene);
}

static struct wire of_user(const struct wire *wire, uint32_t user)
{
	struct wire owned = *wire;

	owned.user = user;
	return owned;
}

static void a_user_of_its_own_says_which_program_it_is(void **state)
{
	struct scene scene = bound_scene(BIND_USER, known_user);
	struct wire alone = of_user(&to_alone, USER_ALONE);
	struct wire prefix = of_user(&to_prefix, USER_ALONE);
	struct wire other = of_user(&to_alone, USER_SHARED);
	struct wire shared = of_user(&to_shared, USER_SHARED);

	(void)state;
	assert_true(permits(&scene, &alone, SECONDS(1)));
	assert_int_equal(queue_of(&scene, &alone), -1);
	assert_true(permits(&scene, &prefix, SECONDS(1)));
	assert_int_equal(queue_of(&scene, &prefix), -1);
	assert_false(permits(&scene, &other, SECONDS(1)));
	assert_false(permits(&scene, &to_alone, SECONDS(1)));
	/* several users, several programs, or root: has to be looked up */
	assert_int_equal(queue_of(&scene, &shared), RULE_QUEUE_FLOWS);
	assert_int_equal(queue_of(&scene, &to_shared2), RULE_QUEUE_FLOWS);
	assert_int_equal(queue_of(&scene, &to_two), RULE_QUEUE_FLOWS);
	assert_int_equal(queue_of(&scene, &to_root), RULE_QUEUE_FLOWS);
	assert_true(permits(&scene, &shared, SECONDS(1)));
	scene_end(&scene);
}

static void without_knowing_all_users_programs_are_looked_up(void **state)
{
	int (*const ask[])(const char *name, uint32_t *ret_user) = {NULL, unknown_user};

	(void)state;
	for (size_t i = 0; i < array_length(ask); i++) {
		struct scene scene = bound_scene(BIND_USER, ask[i]);

		assert_int_equal(queue_of(&scene, &to_alone), RULE_QUEUE_FLOWS);
		scene_end(&scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_wait_for_the_gate),
		cmocka_unit_test(first_packets_wait_for_their_program),
		cmocka_unit_test(who_asked_a_listener_is_answered_at_once),
		cmocka_unit_test(a_user_of_its_own_says_which_program_it_is),
		cmocka_unit_test(without_knowing_all_users_programs_are_looked_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
