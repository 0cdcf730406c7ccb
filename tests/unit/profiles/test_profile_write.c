/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "profiles/profile_json.h"

static void examples_are_canonical(void **state)
{
	static const char *const names[] = {"camera", "gateway-with-bridge", "recorded-sensor",
					    "signed-sensor"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct error error = {0};
		struct profile *profile;
		char path[512];
		char *bytes;
		char *text;
		size_t size;

		(void)snprintf(path, sizeof(path), "%s/%s.json", getenv("RTGUARD_EXAMPLES"),
			       names[i]);
		assert_int_equal(file_read(path, PROFILE_SIZE_LIMIT, &bytes, &size, NULL), 0);
		if (profile_parse(path, bytes, size, &profile, &error) < 0)
			fail_msg("%s", error.message);
		assert_int_equal(profile_format(profile, &text, &error), 0);
		assert_string_equal(text, bytes);
		profile_free(profile);
		free(bytes);
		free(text);
	}
}

/* A small generator, so that a failure can be repeated (Numerical Recipes' constants). */
static uint32_t next(uint32_t *seed, uint32_t limit)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % limit;
}

static char *pick(uint32_t *seed, const char *const *words, uint32_t count)
{
	const char *word = words[next(seed, count)];

	return word ? strdup(word) : NULL;
}

static const char *const paths[] = {NULL, "/bin/sh", "/usr/bin/über", "/opt/a b\"c\\d", "/x"};
static const char *const names[] = {"example.net", "a.example.net", "xn--p1ai", "_x._tcp.local"};
static const char *const arguments[] = {"", "-c", "line\nbreak", "\xe2\x82\xac"};
static const char *const users[] = {"root", "_chrony", "1000"};
static const char *const addresses[] = {"192.0.2.7", "2001:db8::1", "10.0.0.0", "::"};
static const uint8_t protocols[] = {IPPROTO_TCP,  IPPROTO_UDP,	  IPPROTO_SCTP, IPPROTO_UDPLITE,
				    IPPROTO_ICMP, IPPROTO_ICMPV6, 47,		0};

static char *random_sum(uint32_t *seed)
{
	char *sum;

	if (next(seed, 4) == 0)
		return NULL;
	sum = calloc(1, 65);
	for (int i = 0; i < 64; i++)
		sum[i] = "0123456789abcdef"[i < 2 ? next(seed, 16) : 0];
	return sum;
}

static void random_strings(uint32_t *seed, struct string_list *list, const char *const *words,
			   uint32_t count)
{
	for (uint32_t i = next(seed, 4); i > 0; i--)
		assert_int_equal(string_list_add(list, words[next(seed, count)]), 0);
}

static void random_network(uint32_t *seed, struct profile_network *network)
{
	for (uint32_t i = next(seed, 6); i > 0; i--) {
		struct profile_listener *listener = network_add_listener(network);

		listener->protocol = protocols[next(seed, 4)];
		listener->any_address = next(seed, 3) == 0;
		listener->loopback = !listener->any_address && next(seed, 2);
		listener->ipv4 = next(seed, 2);
		listener->ipv6 = !listener->ipv4 || next(seed, 2);
		if (!listener->any_address && !listener->loopback) {
			assert_int_equal(ip_parse(addresses[next(seed, 4)], &listener->address), 0);
			listener->ipv4 = listener->address.family == 4;
			listener->ipv6 = !listener->ipv4;
		}
		listener->port = (uint16_t)next(seed, 3);
		listener->program = pick(seed, paths, 5);
	}
	for (uint32_t i = next(seed, 8); i > 0; i--) {
		struct profile_connection *connection = network_add_connection(network);

		connection->protocol = protocols[next(seed, 8)];
		connection->peer_kind = (enum profile_peer_kind)next(seed, PEER_ADDRESS + 1);
		connection->role = (enum profile_role)next(seed, ROLE_INTERNET + 1);
		if (connection->peer_kind == PEER_PATTERN)
			connection->name = strdup("s#.example.net");
		else if (connection->peer_kind != PEER_ROLE &&
			 connection->peer_kind != PEER_ADDRESS)
			connection->name = pick(seed, names, 4);
		assert_int_equal(ip_parse(addresses[next(seed, 3)], &connection->address), 0);
		connection->prefix_length = connection->address.family == 4 ? 32 : 128;
		connection->port_kind = (enum profile_port_kind)next(seed, PORT_SAME + 1);
		connection->port = (uint16_t)next(seed, 65536);
		connection->local_port = next(seed, 3) ? 0 : (uint16_t)next(seed, 65536);
		connection->icmp_type = (uint8_t)next(seed, 256);
		connection->program = pick(seed, paths, 5);
	}
	random_strings(seed, &network->names, names, 4);
}

static struct profile *random_profile(uint32_t *seed)
{
	struct profile *profile = profile_new();

	profile->device_name = pick(seed, paths, 5);
	profile->kernel = pick(seed, users, 3);
	for (uint32_t i = next(seed, 6); i > 0; i--) {
		struct profile_program *program = profile_add_program(profile);

		program->path = pick(seed, paths + 1, 4);
		program->sha256 = random_sum(seed);
		program->phase = (enum profile_phase)(1 + next(seed, 3));
		random_strings(seed, &program->users, users, 3);
		random_strings(seed, &program->parents, paths + 1, 4);
		program->any_arguments = next(seed, 2);
		for (uint32_t vectors = next(seed, 4); vectors > 0; vectors--)
			random_strings(seed, program_add_arguments(program), arguments, 4);
		program->knows_reads = next(seed, 2);
		if (program->knows_reads)
			random_strings(seed, &program->reads, paths + 1, 4);
	}
	for (uint32_t i = next(seed, 6); i > 0; i--) {
		struct profile_script *script = profile_add_script(profile);
		struct profile_library *library = profile_add_library(profile);

		script->path = pick(seed, paths + 1, 4);
		script->sha256 = random_sum(seed);
		script->interpreter = pick(seed, paths, 5);
		library->path = pick(seed, paths + 1, 4);
		library->sha256 = random_sum(seed);
	}
	random_network(seed, &profile->network);
	for (uint32_t i = next(seed, 3); i > 0; i--) {
		struct profile_device *device = profile_add_device(profile);

		device->mac.bytes[5] = (uint8_t)(1 + next(seed, 3));
		device->upload_kbit = next(seed, 100);
		device->isolated = next(seed, 2);
		random_strings(seed, &device->addresses, addresses, 4);
		random_network(seed, &device->network);
	}
	return profile;
}

static void what_is_written_reads_the_same(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 2000; round++) {
		uint32_t seed = round;
		struct profile *profile = random_profile(&seed);
		struct profile *again = NULL;
		struct error error = {0};
		char *text;
		char *second;

		if (profile_format(profile, &text, &error) < 0)
			fail_msg("round %u: %s", round, error.message);
		if (profile_parse("it", text, strlen(text), &again, &error) < 0)
			fail_msg("round %u: %s\n%s", round, error.message, text);
		assert_int_equal(profile_format(again, &second, &error), 0);
		assert_string_equal(text, second);
		/* and nothing got lost on the way */
		assert_int_equal(again->program_count, profile->program_count);
		assert_int_equal(again->network.connection_count,
				 profile->network.connection_count);
		assert_int_equal(again->network.listener_count, profile->network.listener_count);
		assert_int_equal(again->device_count, profile->device_count);
		profile_free(profile);
		profile_free(again);
		free(text);
		free(second);
	}
}

static void order_of_arrival_does_not_matter(void **state)
{
	char *texts[2];

	(void)state;
	for (int round = 0; round < 2; round++) {
		struct profile *profile = profile_new();

		for (int i = 0; i < 50; i++) {
			struct profile_connection *connection =
				network_add_connection(&profile->network);
			int value = round ? 49 - i : i;

			connection->protocol = value % 2 ? IPPROTO_TCP : IPPROTO_UDP;
			connection->name = strdup(names[value % 4]);
			connection->port = (uint16_t)value;
		}
		assert_int_equal(profile_format(profile, &texts[round], NULL), 0);
		profile_free(profile);
	}
	assert_string_equal(texts[0], texts[1]);
	free(texts[0]);
	free(texts[1]);
}

static void a_signature_covers_device_and_policy_alone(void **state)
{
	struct profile *profile = profile_new();
	char *first;
	char *second;

	(void)state;
	profile->device_name = strdup("camera");
	assert_int_equal(profile_signed_bytes(profile, &first, NULL), 0);
	assert_string_equal(first,
			    "{\"device\":{\"name\":\"camera\",\"model\":null,\"architecture\":null,"
			    "\"operating_system\":null,\"kernel\":null,\"mac\":null},\"policy\":{"
			    "\"programs\":[],\"scripts\":[],\"libraries\":[],\"listeners\":[],"
			    "\"connections\":[],\"names\":[],\"bridge\":null}}");
	profile->evidence = json_pack("{s:i}", "a", 1);
	profile->signature = json_pack("{s:i}", "b", 1);
	assert_int_equal(profile_signed_bytes(profile, &second, NULL), 0);
	assert_string_equal(first, second);
	free(second);
	assert_int_equal(string_list_add(&profile->network.names, "example.net"), 0);
	assert_int_equal(profile_signed_bytes(profile, &second, NULL), 0);
	assert_string_not_equal(first, second);
	free(first);
	free(second);
	profile_free(profile);
}

static void evidence_is_kept_as_it_is(void **state)
{
	static const char document[] =
		"{\"format\":\"rtguard-profile/1\",\"policy\":{},\"evidence\":{\"z\":0.1,"
		"\"a\":{\"unknown\":[1,null,\"\\u00e4\"]}},\"signature\":{\"key\":\"x\"}}";
	struct profile *profile = NULL;
	char *text;

	(void)state;
	assert_int_equal(profile_parse("x", document, strlen(document), &profile, NULL), 0);
	assert_int_equal(profile_format(profile, &text, NULL), 0);
	assert_non_null(strstr(text, "\"z\": 0.1,"));
	assert_non_null(strstr(text, "\"unknown\": ["));
	assert_non_null(strstr(text, "\"ä\""));
	assert_true(strstr(text, "\"z\"") < strstr(text, "\"a\""));
	assert_non_null(strstr(text, "\"key\": \"x\""));
	free(text);
	profile_free(profile);
}

static void what_could_not_be_read_is_not_written(void **state)
{
	static const char *const wrong_paths[] = {NULL, "relative", "/\xff", "/a\nb"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong_paths) / sizeof(wrong_paths[0]); i++) {
		struct profile *profile = profile_new();
		struct profile_program *program = profile_add_program(profile);
		struct error error = {0};
		char *text = NULL;

		program->phase = PHASE_BOOT;
		program->path = wrong_paths[i] ? strdup(wrong_paths[i]) : NULL;
		assert_int_equal(profile_format(profile, &text, &error), -EINVAL);
		assert_non_null(strstr(error.message, "/policy/programs/0/path"));
		assert_null(text);
		profile_free(profile);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_are_canonical),
		cmocka_unit_test(what_is_written_reads_the_same),
		cmocka_unit_test(order_of_arrival_does_not_matter),
		cmocka_unit_test(a_signature_covers_device_and_policy_alone),
		cmocka_unit_test(evidence_is_kept_as_it_is),
		cmocka_unit_test(what_could_not_be_read_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
