/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_LEARN_OBSERVATIONS_H
#define TESTS_LEARN_OBSERVATIONS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "learn/learner.h"
#include "profiles/profile_json.h"

#define TEST_START (UINT64_C(1800000000) * NS_PER_S)

static inline struct ip_address test_address(const char *text)
{
	struct ip_address address;

	assert_int_equal(ip_parse(text, &address), 0);
	return address;
}

/* A flow to the address, named if name is not NULL. */
static inline struct observation test_flow(uint8_t protocol, const char *name, const char *address,
					   uint16_t port)
{
	struct observation observation = {
		.kind = OBSERVATION_CONNECTION,
		.time_ns = TEST_START,
		.flow =
			{
				.local = test_address("10.0.0.9"),
				.remote = test_address(address),
				.protocol = protocol,
				.local_port = 40000,
				.remote_port = port,
				.ttl_s = name ? 60 : 0,
				.name_source = name ? NAME_FROM_DNS : NAME_FROM_NONE,
			},
	};

	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) {
		observation.flow.icmp_type = (uint8_t)port;
		observation.flow.remote_port = 0;
		observation.flow.local_port = 0;
	}
	if (name)
		snprintf(observation.flow.name, sizeof(observation.flow.name), "%s", name);
	return observation;
}

static inline void test_observe_flow(struct learner *learner, uint8_t protocol, const char *name,
				     const char *address, uint16_t port)
{
	struct observation observation = test_flow(protocol, name, address, port);

	learner_observe(learner, &observation);
}

static inline struct learner *test_learner(const char *journal, bool resume, bool recorded)
{
	struct learner_config config = {
		.boot_phase_ns = 120 * NS_PER_S,
		.recorded = recorded,
		.journal = journal,
		.resume = resume,
	};
	struct learner *learner;
	struct error error = {0};

	if (learner_new(&config, &learner, &error) < 0)
		fail_msg("%s", error.message);
	return learner;
}

static inline struct profile *test_profile(struct learner *learner)
{
	struct learner_cycle cycle = {.started_ns = TEST_START,
				      .ended_ns = TEST_START + 3600 * NS_PER_S};
	struct profile *profile;
	struct error error = {0};

	if (learner_profile(learner, &cycle, &profile, &error) < 0)
		fail_msg("%s", error.message);
	return profile;
}

/* The number-th of an endless row of observations of every kind that the tables hold. */
static inline void test_observe_numbered(struct learner *learner, unsigned int number)
{
	static const char *const users[] = {"root", "www", "nobody"};
	static uint8_t sha256[32];
	char path[64], name[64];
	struct observation seen = {.time_ns = TEST_START + number * NS_PER_S};

	switch (number % 6) {
	case 0:
		snprintf(path, sizeof(path), "/usr/bin/program%u", number * 7 % 40);
		sha256[0] = (uint8_t)(number % 5);
		seen.kind = OBSERVATION_EXECUTION;
		seen.execution = (struct observed_execution){
			.path = path,
			.sha256 = sha256,
			.user = users[number % 3],
			.parent = "/sbin/init",
			.boot_age_ns = (number % 400) * NS_PER_S,
			.pins_arguments = number % 4 == 0,
			.arguments = (const char *const[]){"-x", path, NULL}};
		learner_observe(learner, &seen);
		break;
	case 1:
		seen.kind = OBSERVATION_LISTENER;
		seen.listener = (struct observed_listener){.protocol = IPPROTO_TCP,
							   .address = test_address("::"),
							   .dual_stack = true,
							   .port = (uint16_t)(number % 50),
							   .program = "/usr/sbin/d"};
		learner_observe(learner, &seen);
		break;
	case 2:
		snprintf(name, sizeof(name), "host%c.site%c.com", 'a' + number % 7,
			 'a' + number % 11);
		test_observe_flow(learner, IPPROTO_TCP, name, "93.184.216.34", 443);
		break;
	case 3:
		snprintf(name, sizeof(name), "198.41.%u.%u", number % 13, number % 17);
		test_observe_flow(learner, IPPROTO_UDP, NULL, name, (uint16_t)(100 + number % 3));
		break;
	case 4:
		snprintf(name, sizeof(name), "host%u.example.net", number % 30);
		seen.kind = OBSERVATION_NAME;
		seen.name.address = test_address("93.184.216.34");
		snprintf(seen.name.name, sizeof(seen.name.name), "%s", name);
		learner_observe(learner, &seen);
		break;
	default:
		seen.kind = OBSERVATION_CAPTURE;
		seen.capture.packets = number;
		learner_observe(learner, &seen);
		break;
	}
}

/* The policy's canonical bytes, to be freed. */
static inline char *test_policy(struct learner *learner)
{
	struct profile *profile = test_profile(learner);
	struct error error = {0};
	char *text;

	if (profile_signed_bytes(profile, &text, &error) < 0)
		fail_msg("%s", error.message);
	profile_free(profile);
	return text;
}

/* Whether the profile has the connection with this label ("udp role resolver 53 -"). */
static inline bool test_has_connection(const struct profile *profile, const char *label)
{
	bool found = false;

	for (size_t i = 0; i < profile->network.connection_count; i++) {
		char *its = connection_label(&profile->network.connections[i]);

		found |= strcmp(its, label) == 0;
		free(its);
	}
	return found;
}

static inline bool test_has_listener(const struct profile *profile, const char *label)
{
	bool found = false;

	for (size_t i = 0; i < profile->network.listener_count; i++) {
		char *its = listener_label(&profile->network.listeners[i]);

		found |= strcmp(its, label) == 0;
		free(its);
	}
	return found;
}

static inline void test_print(const struct profile *profile)
{
	for (size_t i = 0; i < profile->network.connection_count; i++) {
		char *its = connection_label(&profile->network.connections[i]);

		print_message("  %s\n", its);
		free(its);
	}
	for (size_t i = 0; i < profile->network.listener_count; i++) {
		char *its = listener_label(&profile->network.listeners[i]);

		print_message("  %s\n", its);
		free(its);
	}
}

/* A directory of its own for journals; removed with test_remove_directory(). */
static inline void test_make_directory(char directory[64])
{
	snprintf(directory, 64, "/tmp/test_learn.XXXXXX");
	assert_non_null(mkdtemp(directory));
}

static inline void test_remove_directory(const char *directory)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r '%s'", directory);
	assert_int_equal(system(command), 0);
}

#endif
