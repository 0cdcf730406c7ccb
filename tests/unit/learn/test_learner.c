/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observations.h"

#include <jansson.h>

static const uint8_t sum_a[32] = {0xaa};
static const uint8_t sum_b[32] = {0xbb};

static struct observation execution(const char *path, const uint8_t *sha256, uint64_t boot_age_s)
{
	return (struct observation){
		.kind = OBSERVATION_EXECUTION,
		.time_ns = TEST_START,
		.execution =
			{
				.pid = 100,
				.path = path,
				.sha256 = sha256,
				.user = "root",
				.parent = "/sbin/init",
				.boot_age_ns = boot_age_s * NS_PER_S,
			},
	};
}

static void programs_have_phase_users_and_parents(void **state)
{
	struct learner *learner = test_learner(NULL, false, false);
	struct observation seen = execution("/usr/bin/a", sum_a, 10);
	struct profile *profile;

	(void)state;
	learner_observe(learner, &seen);
	seen = execution("/usr/bin/b", sum_b, 5000);
	learner_observe(learner, &seen);
	seen.execution.user = "www";
	seen.execution.parent = NULL;
	learner_observe(learner, &seen);
	seen = execution("/usr/bin/c", NULL, 10);
	learner_observe(learner, &seen);
	seen.execution.boot_age_ns = 5000 * NS_PER_S;
	learner_observe(learner, &seen);
	profile = test_profile(learner);
	assert_int_equal(profile->program_count, 3);
	assert_string_equal(profile->programs[0].path, "/usr/bin/a");
	assert_int_equal(profile->programs[0].phase, PHASE_BOOT);
	assert_true(profile->programs[0].any_arguments);
	assert_int_equal(profile->programs[1].phase, PHASE_STEADY);
	assert_int_equal(profile->programs[1].users.count, 2);
	assert_int_equal(profile->programs[1].parents.count, 1);
	assert_int_equal(profile->programs[2].phase, PHASE_BOTH);
	assert_null(profile->programs[2].sha256);
	profile_free(profile);
	learner_free(learner);
}

static void arguments_are_listed_unknown_or_too_many(void **state)
{
	struct learner *learner = test_learner(NULL, false, false);
	const char *vector[] = {"-c", NULL, NULL};
	struct observation seen = execution("/bin/sh", sum_a, 5000);
	struct profile *profile;
	char number[16];
	char label[128];
	json_t *entry;

	(void)state;
	seen.execution.pins_arguments = true;
	learner_observe(learner, &seen);
	profile = test_profile(learner);
	assert_false(profile->programs[0].any_arguments);
	assert_int_equal(profile->programs[0].argument_count, 0);
	profile_free(profile);

	seen.execution.arguments = vector;
	for (int i = 0; i < 1030; i++) {
		snprintf(number, sizeof(number), "%d", i);
		vector[1] = number;
		learner_observe(learner, &seen);
		learner_observe(learner, &seen);
	}
	profile = test_profile(learner);
	assert_int_equal(profile->programs[0].argument_count, 1024);
	{
		char *its = program_label(&profile->programs[0]);

		snprintf(label, sizeof(label), "%s", its);
		free(its);
	}
	entry = json_object_get(json_object_get(profile->evidence, "entries"), label);
	assert_int_equal(json_integer_value(json_object_get(entry, "arguments_not_listed")), 12);
	assert_int_equal(json_integer_value(json_object_get(entry, "arguments_unknown")), 1);
	profile_free(profile);
	learner_free(learner);
}

static void an_applet_comes_before_its_arguments(void **state)
{
	struct learner *learner = test_learner(NULL, false, false);
	const char *vector[] = {"-l", NULL};
	struct observation seen = execution("/bin/busybox", sum_a, 5000);
	struct profile *profile;

	(void)state;
	seen.execution.pins_arguments = true;
	seen.execution.arguments = vector;
	seen.execution.applet = "ls";
	learner_observe(learner, &seen);
	profile = test_profile(learner);
	assert_int_equal(profile->programs[0].arguments[0].count, 2);
	assert_string_equal(profile->programs[0].arguments[0].items[0], "ls");
	assert_string_equal(profile->programs[0].arguments[0].items[1], "-l");
	profile_free(profile);
	learner_free(learner);
}

static void observe_listener(struct learner *learner, const char *address, bool dual_stack,
			     uint16_t port, const char *program)
{
	struct observation seen = {
		.kind = OBSERVATION_LISTENER,
		.time_ns = TEST_START,
		.listener = {.protocol = IPPROTO_TCP,
			     .address = test_address(address),
			     .dual_stack = dual_stack,
			     .port = port,
			     .program = program},
	};

	learner_observe(learner, &seen);
}

static void observe_service(struct learner *learner, uint16_t port)
{
	struct observation seen = {
		.kind = OBSERVATION_SERVICE,
		.time_ns = TEST_START,
		.service = {.local = test_address("10.0.0.9"),
			    .remote = test_address("10.0.0.2"),
			    .protocol = IPPROTO_TCP,
			    .local_port = port},
	};

	learner_observe(learner, &seen);
}

static void sockets_and_answers_make_one_listener(void **state)
{
	struct learner *learner = test_learner(NULL, false, false);
	struct profile *profile;

	(void)state;
	observe_listener(learner, "::", true, 22, NULL);
	observe_listener(learner, "::", true, 22, "/usr/sbin/sshd");
	observe_listener(learner, "127.0.0.1", false, 631, "/usr/sbin/cupsd");
	observe_listener(learner, "::1", false, 631, "/usr/sbin/cupsd");
	observe_listener(learner, "10.0.0.9", false, 80, "/usr/sbin/httpd");
	observe_service(learner, 22);
	observe_service(learner, 9999);
	profile = test_profile(learner);
	assert_int_equal(profile->network.listener_count, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct profile_listener *listener = &profile->network.listeners[i];

		if (listener->port == 22) {
			assert_true(listener->ipv4 && listener->ipv6 && listener->any_address);
			assert_string_equal(listener->program, "/usr/sbin/sshd");
		} else if (listener->port == 631) {
			assert_true(listener->ipv4 && listener->ipv6 && listener->loopback);
		} else if (listener->port == 80) {
			assert_false(listener->any_address || listener->loopback);
			assert_false(listener->ipv6);
		} else {
			assert_int_equal(listener->port, 9999);
			assert_true(listener->any_address && listener->ipv4);
			assert_null(listener->program);
		}
	}
	profile_free(profile);
	learner_free(learner);
}

static void attribution_travels_with_the_flow(void **state)
{
	struct learner *learner = test_learner(NULL, false, false);
	struct observation seen = test_flow(IPPROTO_TCP, "api.example.net", "93.184.216.34", 443);
	struct profile *profile;

	(void)state;
	seen.flow.id = 7;
	learner_attribute(learner, &seen.station, 7, "/usr/bin/feeder", false);
	learner_attribute(learner, &seen.station, 8, "/usr/bin/rtguard", true);
	learner_observe(learner, &seen);
	seen.flow.id = 8;
	seen.flow.remote_port = 444;
	learner_observe(learner, &seen);
	seen.flow.id = 9;
	seen.flow.remote_port = 445;
	learner_observe(learner, &seen);
	profile = test_profile(learner);
	assert_int_equal(profile->network.connection_count, 2);
	assert_true(test_has_connection(profile, "tcp host api.example.net 443 /usr/bin/feeder"));
	assert_true(test_has_connection(profile, "tcp host api.example.net 445 -"));
	profile_free(profile);
	learner_free(learner);
}

static void losses_make_it_incomplete_and_say_why(void **state)
{
	struct learner *learner = test_learner(NULL, false, false);
	struct observation capture = {
		.kind = OBSERVATION_CAPTURE, .time_ns = TEST_START, .capture = {.packets = 100}};
	struct observation loss = {.kind = OBSERVATION_LOSS,
				   .time_ns = TEST_START,
				   .loss = {.source = "fanotify", .seen = 50}};
	struct profile *profile;

	(void)state;
	learner_observe(learner, &capture);
	learner_observe(learner, &loss);
	profile = test_profile(learner);
	assert_null(learner_incomplete_reason(learner));
	assert_true(json_is_true(json_object_get(profile->evidence, "complete")));
	profile_free(profile);
	loss.loss.lost = 3;
	learner_observe(learner, &loss);
	capture.capture.packets = 20; /* a new inspector counts anew */
	capture.capture.dropped = 2;
	learner_observe(learner, &capture);
	capture.capture.packets = 30;
	learner_observe(learner, &capture);
	profile = test_profile(learner);
	assert_string_equal(learner_incomplete_reason(learner),
			    "2 packets were dropped; 3 process or socket events were lost");
	assert_true(json_is_false(json_object_get(profile->evidence, "complete")));
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(profile->evidence, "capture"), "packets")),
			 130);
	profile_free(profile);
	learner_free(learner);
}

static json_t *novelty_of(const struct profile *profile, const char *class)
{
	return json_object_get(json_object_get(profile->evidence, "novelty"), class);
}

static void the_unseen_is_unknown_where_nothing_was_seen(void **state)
{
	(void)state;
	for (int recorded = 0; recorded < 2; recorded++) {
		struct learner *learner = test_learner(NULL, false, recorded);
		struct profile *profile;

		test_observe_flow(learner, IPPROTO_TCP, NULL, "198.41.0.4", 443);
		profile = test_profile(learner);
		assert_true(json_is_real(
			json_object_get(novelty_of(profile, "connections"), "unseen_probability")));
		assert_true(json_is_null(
			json_object_get(novelty_of(profile, "names"), "unseen_probability")));
		if (recorded) {
			assert_null(novelty_of(profile, "programs"));
			assert_null(novelty_of(profile, "listeners"));
		} else {
			assert_true(json_is_null(json_object_get(novelty_of(profile, "programs"),
								 "unseen_probability")));
		}
		profile_free(profile);
		learner_free(learner);
	}
}

static void a_clock_that_steps_back_reverses_nothing(void **state)
{
	struct learner *learner = test_learner(NULL, false, false);
	struct observation seen = execution("/usr/bin/a", sum_a, 10);
	struct profile *profile;
	json_t *entry;
	char *label;

	(void)state;
	learner_observe(learner, &seen);
	seen.time_ns -= 3600 * NS_PER_S;
	learner_observe(learner, &seen);
	profile = test_profile(learner);
	label = program_label(&profile->programs[0]);
	entry = json_object_get(json_object_get(profile->evidence, "entries"), label);
	assert_string_equal(json_string_value(json_object_get(entry, "first_seen")),
			    "2027-01-15T07:00:00Z");
	assert_string_equal(json_string_value(json_object_get(entry, "last_seen")),
			    "2027-01-15T08:00:00Z");
	free(label);
	profile_free(profile);
	learner_free(learner);
}

static void a_stable_learner_is_quiet_and_has_seen_enough(void **state)
{
	struct learner *learner = test_learner(NULL, false, false);
	struct observation seen = execution("/usr/bin/a", sum_a, 10);
	uint64_t quiet = 60 * NS_PER_S;

	(void)state;
	for (int i = 0; i < 200; i++) {
		learner_observe(learner, &seen);
		test_observe_flow(learner, IPPROTO_TCP, "api.example.net", "93.184.216.34", 443);
	}
	assert_false(learner_is_stable(learner, TEST_START + quiet, quiet));
	assert_int_equal(learner_flush(learner, NULL), 0);
	assert_false(learner_is_stable(learner, TEST_START + quiet - 1, quiet));
	assert_true(learner_is_stable(learner, TEST_START + quiet, quiet));
	for (uint16_t port = 1; port < 10; port++)
		test_observe_flow(learner, IPPROTO_TCP, "api.example.net", "93.184.216.34", port);
	free(test_policy(learner)); /* counts the entries, too */
	assert_false(learner_is_stable(learner, TEST_START + quiet, quiet));
	learner_free(learner);
}

static void bytes_that_are_no_utf8_do_not_spoil_the_profile(void **state)
{
	struct learner *learner = test_learner(NULL, false, false);
	struct observation seen = execution("/tmp/\xff\xfe", sum_a, 10);
	const char *vector[] = {"\xff", NULL};
	struct profile *profile;

	(void)state;
	seen.execution.pins_arguments = true;
	seen.execution.arguments = vector;
	learner_observe(learner, &seen);
	profile = test_profile(learner);
	assert_string_equal(profile->programs[0].path, "/tmp/\xef\xbf\xbd"
						       "ff\xef\xbf\xbd"
						       "fe");
	/* not listed as something that it was not */
	assert_int_equal(profile->programs[0].argument_count, 0);
	profile_free(profile);
	free(test_policy(learner));
	learner_free(learner);
}

static void the_order_of_observations_leaves_no_trace(void **state)
{
	enum { COUNT = 3000 };
	static unsigned int order[COUNT];
	char *expected = NULL;

	(void)state;
	srand(7);
	for (unsigned int i = 0; i < COUNT; i++)
		order[i] = i;
	for (int round = 0; round < 5; round++) {
		struct learner *learner = test_learner(NULL, false, false);
		char *policy;

		for (unsigned int i = 0; i < COUNT; i++)
			test_observe_numbered(learner, order[i]);
		policy = test_policy(learner);
		learner_free(learner);
		if (expected)
			assert_string_equal(policy, expected);
		free(expected);
		expected = policy;
		for (unsigned int i = COUNT - 1; i > 0; i--) {
			unsigned int other = (unsigned int)rand() % (i + 1);
			unsigned int swapped = order[i];

			order[i] = order[other];
			order[other] = swapped;
		}
	}
	free(expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_have_phase_users_and_parents),
		cmocka_unit_test(arguments_are_listed_unknown_or_too_many),
		cmocka_unit_test(an_applet_comes_before_its_arguments),
		cmocka_unit_test(sockets_and_answers_make_one_listener),
		cmocka_unit_test(attribution_travels_with_the_flow),
		cmocka_unit_test(losses_make_it_incomplete_and_say_why),
		cmocka_unit_test(the_unseen_is_unknown_where_nothing_was_seen),
		cmocka_unit_test(a_clock_that_steps_back_reverses_nothing),
		cmocka_unit_test(a_stable_learner_is_quiet_and_has_seen_enough),
		cmocka_unit_test(the_order_of_observations_leaves_no_trace),
		cmocka_unit_test(bytes_that_are_no_utf8_do_not_spoil_the_profile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
