/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What compiled programs are like, whatever the packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "rule_scene.h"
#include "rules/render.h"

#define TCP IPPROTO_TCP
#define UDP IPPROTO_UDP

static size_t rule_count(const struct rule_program *program)
{
	size_t count = 0;

	for (size_t i = 0; i < program->chain_count; i++)
		count += program->chains[i].rule_count;
	return count;
}

static struct scene many_hosts(size_t count, bool backwards)
{
	struct rules_options options = RULES_OPTIONS_DEFAULT;
	struct scene scene = {.profile = profile_new()};

	assert_non_null(scene.profile);
	for (size_t i = 0; i < count; i++) {
		size_t number = backwards ? count - 1 - i : i;
		struct profile_connection *entry = network_add_connection(&scene.profile->network);
		char text[64];

		assert_non_null(entry);
		entry->protocol = number % 2 ? IPPROTO_TCP : IPPROTO_UDP;
		entry->port = (uint16_t)(1 + number);
		if (number % 4 == 0) {
			snprintf(text, sizeof(text), "203.%zu.%zu.0", number / 256 % 256,
				 number % 256);
			entry->peer_kind = PEER_ADDRESS;
			entry->address = address_of(text);
			entry->prefix_length = 24;
		} else if (number % 4 == 1) {
			entry->peer_kind = PEER_ROLE;
			entry->role = ROLE_LAN;
		} else {
			entry->peer_kind = PEER_HOST;
			snprintf(text, sizeof(text), "h%zu.example.com", number);
			entry->name = strdup(text);
			assert_non_null(entry->name);
		}
	}
	scene_rules(&scene, &options, NULL);
	return scene;
}

static void more_peers_are_not_more_rules(void **state)
{
	struct scene few = many_hosts(16, false);
	struct scene many = many_hosts(20000, false);

	(void)state;
	assert_int_equal(rule_count(few.program), rule_count(many.program));
	assert_int_equal(few.program->set_count, many.program->set_count);
	assert_int_equal(many.program->name_count, 10000);
	scene_end(&few);
	scene_end(&many);
}

static char *text_of(const struct rule_program *program)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	render_nftables(program, stream);
	assert_int_equal(fclose(stream), 0);
	return text;
}

static void the_order_of_the_file_does_not_count(void **state)
{
	struct scene forth = many_hosts(100, false);
	struct scene back = many_hosts(100, true);
	_cleanup_(freep) char *one = text_of(forth.program);
	_cleanup_(freep) char *two = text_of(back.program);

	(void)state;
	assert_string_equal(one, two);
	scene_end(&forth);
	scene_end(&back);
}

static void too_many_kinds_are_refused(void **state)
{
	struct profile *profile = profile_new();
	struct rules_options options = RULES_OPTIONS_DEFAULT;
	struct rule_program *program = NULL;
	struct error error = {0};

	(void)state;
	assert_non_null(profile);
	for (uint16_t i = 1; i <= 5000; i++) {
		struct profile_connection *entry = network_add_connection(&profile->network);

		assert_non_null(entry);
		entry->protocol = IPPROTO_UDP;
		entry->peer_kind = PEER_ROLE;
		entry->role = ROLE_INTERNET;
		entry->port_kind = PORT_HIGH;
		entry->local_port = i;
	}
	assert_int_equal(rules_compile(profile, &options, NULL, &program, &error), -E2BIG);
	assert_null(program);
	assert_non_null(strstr(error.message, "local port"));
	profile_free(profile);
}

/* As rules/judge.h has it: both ways to render RULE_PERMIT come to the same. */
static void check_shape(const struct rule_program *program, bool audit)
{
	for (size_t i = 0; i < program->chain_count; i++) {
		const struct rule_chain *chain = &program->chains[i];

		for (size_t j = 0; j < chain->rule_count; j++) {
			const struct rule *rule = &chain->rules[j];
			bool last = j + 1 == chain->rule_count;
			const struct rule_match *match = &rule->match;

			assert_true(*rule->comment != '\0');
			for (const char *letter = rule->comment; *letter; letter++)
				assert_true(*letter >= ' ' && *letter <= '~' &&
					    !strchr("\"'\\`", *letter));
			assert_int_not_equal(match->families, 0);
			if (match->places & PLACE_BROADCAST)
				assert_int_equal(match->families, RULE_IPV4);
			if (chain->hook == HOOK_NONE && rule->verdict == RULE_PERMIT)
				assert_true(last && audit);
			if (audit && rule->verdict == RULE_JUMP)
				assert_true(last);
			if (rule->verdict == RULE_JUMP)
				assert_int_equal(program->chains[rule->chain].hook, HOOK_NONE);
			if (chain->hook == HOOK_HOLD_OUT || chain->hook == HOOK_HOLD_IN)
				assert_int_equal(rule->verdict, RULE_HOLD);
			if (match->has_remote_ports || match->has_local_ports)
				assert_true(match->has_protocol &&
					    protocol_has_ports(match->protocol));
			for (size_t k = 0; k < RULE_LOOKUPS; k++) {
				uint16_t set = match->lookups[k].set;

				assert_true(set == RULE_NONE || set < program->set_count);
				if (set != RULE_NONE && program->sets[set].kind == SET_PORT)
					assert_true(match->has_protocol);
			}
		}
		if (chain->hook == HOOK_OUT || chain->hook == HOOK_IN ||
		    chain->hook == HOOK_FORWARD) {
			const struct rule *end = &chain->rules[chain->rule_count - 1];

			assert_int_equal(end->verdict, RULE_JUMP);
			assert_int_equal(end->match.places | end->match.states, 0);
		}
	}
}

static int any_user(const char *name, uint32_t *ret_user)
{
	*ret_user = 1000 + (uint32_t)strlen(name);
	return 0;
}

static void programs_are_of_one_shape(void **state)
{
	(void)state;
	for (unsigned int bits = 0; bits < 64; bits++) {
		struct rules_options options = RULES_OPTIONS_DEFAULT;
		struct scene scene;

		options.report_only = bits & 1;
		options.reject = bits & 2;
		options.answer_ping = bits & 4;
		options.inbound_from_lan = bits & 8;
		options.binding = bits & 16 ? BIND_USER : BIND_LOOKUP;
		options.user_id = any_user;
		scene = (struct scene){.profile = golden_profile(bits & 32 ? "device" : "users")};
		scene_rules(&scene, &options, NULL);
		check_shape(scene.program, options.report_only);
		for (size_t i = 0; i < scene.program->set_count; i++)
			for (size_t j = 0; j < i; j++)
				assert_string_not_equal(scene.program->sets[i].name,
							scene.program->sets[j].name);
		scene_end(&scene);
	}
}

static void rules_say_where_they_come_from(void **state)
{
	static const struct {
		struct wire wire;
		const char *comment;
	} cases[] = {
		{{TO("203.0.113.200", TCP, 8883)}, "addresses of the profile, 2 entries"},
		{{TO("192.168.1.4", TCP, 9000)}, "tcp role lan, 2 entries"},
		{{TO("239.255.255.250", UDP, 1900)}, "udp role multicast 1900 -"},
		{{TO("10.0.0.3", TCP, 53)}, "cut answers of: udp role resolver 53 -"},
		{{TO("10.0.0.3", IPPROTO_ICMP, 8)}, "icmp role gateway type 8 -"},
		{{FROM("10.0.0.3", UDP, 5353)}, "listener udp any 5353 -"},
		{{FROM("10.0.0.3", TCP, 8081)}, "tcp listeners of the profile, 2 entries"},
	};
	struct rules_options options = RULES_OPTIONS_DEFAULT;
	struct scene scene = device_scene(&options);

	(void)state;
	for (size_t i = 0; i < array_length(cases); i++)
		assert_string_equal(scene_judge(&scene, &cases[i].wire, 1).rule->comment,
				    cases[i].comment);
	scene_end(&scene);
}

static void comments_are_cut_and_plain(void **state)
{
	struct rules_options options = RULES_OPTIONS_DEFAULT;
	static const struct wire wire = {TO("10.0.0.2", TCP, 7)};
	char policy[1024];
	char path[400];
	struct scene scene;
	const char *comment;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	options.binding = BIND_NONE;
	snprintf(policy, sizeof(policy),
		 "\"connections\": [{\"protocol\": \"tcp\", \"peer\": {\"role\": \"lan\"}, "
		 "\"port\": 7, \"program\": \"/a'\\\"\\\\`\u00e9 %s\"}]",
		 path);
	scene = scene_of(policy, NULL, &options);
	comment = scene_judge(&scene, &wire, 1).rule->comment;
	assert_int_equal(strlen(comment), RULE_COMMENT_SIZE - 1);
	assert_memory_equal(comment, "tcp role lan 7 /a?????? x", 25);
	assert_string_equal(comment + RULE_COMMENT_SIZE - 4, "...");
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_peers_are_not_more_rules),
		cmocka_unit_test(the_order_of_the_file_does_not_count),
		cmocka_unit_test(too_many_kinds_are_refused),
		cmocka_unit_test(programs_are_of_one_shape),
		cmocka_unit_test(rules_say_where_they_come_from),
		cmocka_unit_test(comments_are_cut_and_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
