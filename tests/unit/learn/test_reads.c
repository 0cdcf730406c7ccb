/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observations.h"

#include <jansson.h>

static const uint8_t sum_a[32] = {0xaa};
static const uint8_t sum_b[32] = {0xbb};

static void observe_start(struct learner *learner, const char *path, const uint8_t *sha256,
			  bool pinned, bool watched)
{
	const struct observation observation = {
		.kind = OBSERVATION_EXECUTION,
		.time_ns = TEST_START,
		.execution = {.path = path,
			      .sha256 = sha256,
			      .pins_arguments = pinned,
			      .reads_watched = watched},
	};

	learner_observe(learner, &observation);
}

static void observe_read(struct learner *learner, const char *program, const char *path,
			 bool is_new)
{
	const struct observation observation = {
		.kind = OBSERVATION_READ,
		.time_ns = TEST_START,
		.read = {.path = path, .program = program, .is_new = is_new},
	};

	learner_observe(learner, &observation);
}

static void assert_reads(const struct profile_program *program, const char *const *expected)
{
	size_t count = 0;

	assert_true(program->knows_reads);
	for (; expected[count]; count++) {
		assert_true(count < program->reads.count);
		assert_string_equal(program->reads.items[count], expected[count]);
	}
	assert_int_equal(program->reads.count, count);
}

static const json_t *evidence_of(const struct profile *profile, const char *label)
{
	return json_object_get(json_object_get(profile->evidence, "entries"), label);
}

static void few_files_are_listed_many_become_their_directory(void **state)
{
	static const char *const expected[] = {"/etc/a",    "/etc/b",	       "/etc/c",
					       "/srv/www/", "/srv/www/deep/1", NULL};
	struct learner *learner = test_learner(NULL, false, false);
	struct profile *profile;
	char path[32];

	(void)state;
	observe_start(learner, "/bin/sh", sum_a, true, true);
	observe_read(learner, "/bin/sh", "/srv/www/deep/1", false);
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "/srv/www/%d", i);
		observe_read(learner, "/bin/sh", path, false);
		snprintf(path, sizeof(path), "/etc/%c", "abca"[i]);
		observe_read(learner, "/bin/sh", path, false);
	}
	profile = test_profile(learner);
	assert_reads(&profile->programs[0], expected);
	assert_int_equal(json_integer_value(json_object_get(
				 evidence_of(profile, "read /bin/sh /etc/a"), "count")),
			 2);
	assert_null(json_object_get(evidence_of(profile, "read /bin/sh /srv/www/"), "new_files"));
	assert_null(evidence_of(profile, "read /bin/sh /etc/"));
	profile_free(profile);
	learner_free(learner);
}

static void new_files_become_their_directory_at_once(void **state)
{
	static const char *const expected[] = {"/tmp/", NULL};
	struct learner *learner = test_learner(NULL, false, false);
	struct profile *profile;

	(void)state;
	observe_start(learner, "/bin/sh", sum_a, true, true);
	observe_read(learner, "/bin/sh", "/tmp/old", false);
	observe_read(learner, "/bin/sh", "/tmp/x.4711", true);
	profile = test_profile(learner);
	assert_reads(&profile->programs[0], expected);
	assert_true(json_is_true(
		json_object_get(evidence_of(profile, "read /bin/sh /tmp/"), "new_files")));
	profile_free(profile);
	learner_free(learner);
}

static void the_root_directory_never_stands_for_its_files(void **state)
{
	struct learner *learner = test_learner(NULL, false, false);
	struct profile *profile;
	char path[32];

	(void)state;
	observe_start(learner, "/bin/sh", sum_a, true, true);
	observe_read(learner, "/bin/sh", "/", false);
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "/%03d", i);
		observe_read(learner, "/bin/sh", path, i % 2);
	}
	profile = test_profile(learner);
	assert_int_equal(profile->programs[0].reads.count, 64);
	assert_string_equal(profile->programs[0].reads.items[0], "/000");
	profile_free(profile);
	learner_free(learner);
}

static void reads_belong_to_pinned_programs_seen_to_start(void **state)
{
	static const char *const expected[] = {"/etc/hosts", NULL};
	static const char *const nothing[] = {NULL};
	struct learner *learner = test_learner(NULL, false, false);
	struct profile *profile;

	(void)state;
	observe_start(learner, "/bin/ls", sum_a, false, true);
	observe_start(learner, "/bin/sh", sum_a, true, true);
	observe_start(learner, "/bin/sh", sum_b, true, true);
	observe_start(learner, "/bin/y", sum_b, true, false);
	observe_start(learner, "/bin/z", sum_b, true, true);
	observe_start(learner, "/bin/z", sum_b, true, false);
	observe_read(learner, "/bin/ls", "/etc/hosts", false);
	observe_read(learner, "/bin/sh", "/etc/hosts", false);
	observe_read(learner, "/bin/y", "/etc/hosts", false);
	profile = test_profile(learner);
	assert_int_equal(profile->program_count, 5);
	assert_false(profile->programs[0].knows_reads);
	assert_int_equal(profile->programs[0].reads.count, 0);
	assert_reads(&profile->programs[1], expected);
	assert_reads(&profile->programs[2], expected);
	assert_false(profile->programs[3].knows_reads);
	assert_reads(&profile->programs[4], nothing);
	profile_free(profile);
	learner_free(learner);
}

static void what_is_started_is_no_library(void **state)
{
	struct learner *learner = test_learner(NULL, false, false);
	struct observation library = {
		.kind = OBSERVATION_LIBRARY,
		.time_ns = TEST_START,
		.library = {.path = "/bin/ls", .sha256 = sum_a},
	};
	struct profile *profile;

	(void)state;
	learner_observe(learner, &library);
	library.library.sha256 = sum_b;
	learner_observe(learner, &library);
	observe_start(learner, "/bin/ls", sum_a, false, true);
	profile = test_profile(learner);
	assert_int_equal(profile->library_count, 1);
	assert_true(strncmp(profile->libraries[0].sha256, "bb", 2) == 0);
	profile_free(profile);
	learner_free(learner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_files_are_listed_many_become_their_directory),
		cmocka_unit_test(new_files_become_their_directory_at_once),
		cmocka_unit_test(the_root_directory_never_stands_for_its_files),
		cmocka_unit_test(reads_belong_to_pinned_programs_seen_to_start),
		cmocka_unit_test(what_is_started_is_no_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
