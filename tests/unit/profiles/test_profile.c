/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "profiles/profile.h"

static void protocols_have_one_name_each(void **state)
{
	char text[PROTOCOL_TEXT_SIZE];
	uint8_t protocol;

	(void)state;
	for (unsigned int number = 0; number <= UINT8_MAX; number++) {
		protocol_format((uint8_t)number, text);
		assert_int_equal(protocol_parse(text, &protocol), 0);
		assert_int_equal(protocol, number);
	}
	assert_int_equal(protocol_parse("udp-lite", &protocol), 0);
	assert_int_equal(protocol, IPPROTO_UDPLITE);
	assert_int_equal(protocol_parse("6", &protocol), -EINVAL);
	assert_int_equal(protocol_parse("047", &protocol), -EINVAL);
	assert_int_equal(protocol_parse("256", &protocol), -EINVAL);
	assert_int_equal(protocol_parse("TCP", &protocol), -EINVAL);
	assert_true(protocol_has_ports(IPPROTO_SCTP));
	assert_false(protocol_has_ports(IPPROTO_ICMP));
	assert_true(protocol_has_types(IPPROTO_ICMPV6));
	assert_false(protocol_has_types(47));
}

static void words_go_both_ways(void **state)
{
	enum profile_role role;
	enum profile_phase phase;
	enum profile_port_kind kind;

	(void)state;
	for (int i = ROLE_RESOLVER; i <= ROLE_INTERNET; i++) {
		assert_int_equal(role_parse(role_name((enum profile_role)i), &role), 0);
		assert_int_equal(role, i);
	}
	for (int i = PHASE_BOOT; i <= PHASE_BOTH; i++) {
		assert_int_equal(phase_parse(phase_name((enum profile_phase)i), &phase), 0);
		assert_int_equal(phase, i);
	}
	for (int i = PORT_ANY; i <= PORT_SAME; i++) {
		assert_int_equal(port_kind_parse(port_kind_name((enum profile_port_kind)i), &kind),
				 0);
		assert_int_equal(kind, i);
	}
	assert_null(port_kind_name(PORT_NUMBER));
	assert_null(phase_name((enum profile_phase)0));
	assert_null(role_name((enum profile_role)99));
	assert_int_equal(role_parse("king", &role), -EINVAL);
	assert_int_equal(phase_parse("", &phase), -EINVAL);
}

static void assert_label(char *label, const char *expected)
{
	assert_non_null(label);
	assert_string_equal(label, expected);
	free(label);
}

static void labels_name_entries(void **state)
{
	char path[] = "/usr/sbin/chronyd";
	char name[] = "0.pool.ntp.org";
	struct profile_program program = {.path = path};
	struct profile_listener listener = {
		.protocol = IPPROTO_TCP, .any_address = true, .port = 22, .program = path};
	struct profile_connection connection = {
		.protocol = IPPROTO_UDP, .name = name, .port = 123, .program = path};

	(void)state;
	assert_label(program_label(&program), "program /usr/sbin/chronyd -");
	assert_label(listener_label(&listener), "listener tcp any 22 /usr/sbin/chronyd");
	listener.any_address = false;
	assert_int_equal(ip_parse("2001:db8::1", &listener.address), 0);
	assert_label(listener_label(&listener), "listener tcp 2001:db8::1 22 /usr/sbin/chronyd");
	assert_label(connection_label(&connection),
		     "udp host 0.pool.ntp.org 123 /usr/sbin/chronyd");
	assert_label(peer_label(&connection), "host 0.pool.ntp.org");
	connection = (struct profile_connection){.protocol = IPPROTO_ICMP,
						 .peer_kind = PEER_ROLE,
						 .role = ROLE_GATEWAY,
						 .icmp_type = 8};
	assert_label(connection_label(&connection), "icmp role gateway type 8 -");
	connection = (struct profile_connection){.protocol = IPPROTO_UDP,
						 .peer_kind = PEER_ADDRESS,
						 .prefix_length = 24,
						 .port_kind = PORT_HIGH,
						 .local_port = 10240};
	assert_int_equal(ip_parse("192.0.2.0", &connection.address), 0);
	assert_label(connection_label(&connection), "udp address 192.0.2.0/24 high from 10240 -");
}

static void the_same_thing_twice_becomes_one(void **state)
{
	struct profile *profile = profile_new();

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct profile_program *program = profile_add_program(profile);
		struct profile_listener *listener = network_add_listener(&profile->network);
		struct profile_connection *connection = network_add_connection(&profile->network);

		program->path = strdup(i == 1 ? "/a" : "/b");
		program->phase = i == 0 ? PHASE_BOOT : PHASE_STEADY;
		assert_int_equal(string_list_add(&program->users, i == 0 ? "root" : "adm"), 0);
		assert_int_equal(string_list_add(program_add_arguments(program), i ? "x" : "y"), 0);
		listener->protocol = IPPROTO_TCP;
		listener->any_address = true;
		listener->port = i == 1 ? 80 : 443;
		listener->ipv4 = i != 2;
		listener->ipv6 = i == 2;
		connection->protocol = IPPROTO_UDP;
		connection->name = strdup("example.net");
		connection->port = 123;
	}
	profile_canonicalise(profile);
	assert_int_equal(profile->program_count, 2);
	assert_string_equal(profile->programs[0].path, "/a");
	assert_string_equal(profile->programs[1].path, "/b");
	assert_int_equal(profile->programs[1].phase, PHASE_BOTH);
	assert_int_equal(profile->programs[1].users.count, 2);
	assert_string_equal(profile->programs[1].users.items[0], "adm");
	assert_int_equal(profile->programs[1].argument_count, 2);
	assert_string_equal(profile->programs[1].arguments[0].items[0], "x");
	assert_int_equal(profile->network.listener_count, 2);
	assert_int_equal(profile->network.listeners[0].port, 80);
	assert_true(profile->network.listeners[1].ipv4 && profile->network.listeners[1].ipv6);
	assert_int_equal(profile->network.connection_count, 1);
	profile_free(profile);
}

static struct profile_program *add_shell(struct profile *profile, bool any_arguments,
					 const char *const *reads)
{
	struct profile_program *program = profile_add_program(profile);

	program->path = strdup("/bin/sh");
	program->phase = PHASE_STEADY;
	program->any_arguments = any_arguments;
	program->knows_reads = reads;
	for (; reads && *reads; reads++)
		assert_int_equal(string_list_add(&program->reads, *reads), 0);
	return program;
}

static void reads_join_and_directories_cover(void **state)
{
	static const char *const some[] = {"/var/b",	     "/var/lib/x/2", "/var/lib/x/",
					   "/var/lib/x/y/3", "/var/lib/xy",  NULL};
	static const char *const more[] = {"/var/lib/x/1", "/var/lib/x/y/", "/var/b",
					   "/var/lib/x/y/z/4", NULL};
	static const char *const expected[] = {"/var/b", "/var/lib/x/", "/var/lib/x/y/",
					       "/var/lib/x/y/z/4", "/var/lib/xy"};
	struct profile *profile = profile_new();
	const struct string_list *reads;

	(void)state;
	add_shell(profile, false, some);
	add_shell(profile, false, NULL);
	add_shell(profile, false, more);
	profile_canonicalise(profile);
	assert_int_equal(profile->program_count, 1);
	assert_true(profile->programs[0].knows_reads);
	reads = &profile->programs[0].reads;
	assert_int_equal(reads->count, 5);
	for (size_t i = 0; i < reads->count; i++)
		assert_string_equal(reads->items[i], expected[i]);
	add_shell(profile, true, NULL);
	profile_canonicalise(profile);
	assert_int_equal(profile->program_count, 1);
	assert_false(profile->programs[0].knows_reads);
	assert_int_equal(profile->programs[0].reads.count, 0);
	profile_free(profile);
}

static void string_lists_hold_copies(void **state)
{
	struct string_list list = {0};
	char text[] = "one";

	(void)state;
	assert_int_equal(string_list_add(&list, text), 0);
	text[0] = 'O';
	assert_true(string_list_contains(&list, "one"));
	assert_false(string_list_contains(&list, "One"));
	string_list_free(&list);
	assert_int_equal(list.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protocols_have_one_name_each),
		cmocka_unit_test(words_go_both_ways),
		cmocka_unit_test(labels_name_entries),
		cmocka_unit_test(the_same_thing_twice_becomes_one),
		cmocka_unit_test(reads_join_and_directories_cover),
		cmocka_unit_test(string_lists_hold_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
