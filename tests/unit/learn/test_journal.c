/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observations.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <jansson.h>

#include "base/file.h"
#include "learn/journal.h"

struct place {
	char directory[64];
	char path[96];
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	test_make_directory(place->directory);
	snprintf(place->path, sizeof(place->path), "%s/journal", place->directory);
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;

	test_remove_directory(place->directory);
	free(place);
	return 0;
}

static char *read_all(const char *path, size_t *ret_size)
{
	struct error error = {0};
	char *bytes;

	if (file_read(path, 1u << 28, &bytes, ret_size, &error) < 0)
		fail_msg("%s", error.message);
	return bytes;
}

static void write_file(const char *path, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, bytes, size), 0);
	close(fd);
}

static void flush(struct learner *learner)
{
	struct error error = {0};

	if (learner_flush(learner, &error) < 0)
		fail_msg("%s", error.message);
}

static char *resumed_policy(const char *path)
{
	struct learner *learner = test_learner(path, true, false);
	char *policy = test_policy(learner);

	learner_free(learner);
	return policy;
}

static void a_resumed_learner_gives_the_same_profile(void **state)
{
	struct place *place = *state;
	struct learner *whole = test_learner(NULL, false, false);
	struct learner *parts = test_learner(place->path, false, false);
	char *expected, *got;

	for (unsigned int i = 0; i < 3000; i++) {
		test_observe_numbered(whole, i);
		test_observe_numbered(parts, i);
		if (i % 500 == 499) {
			flush(parts);
			learner_free(parts);
			parts = test_learner(place->path, true, false);
		}
	}
	expected = test_policy(whole);
	got = test_policy(parts);
	assert_string_equal(got, expected);
	free(expected);
	free(got);
	learner_free(whole);
	learner_free(parts);
}

/* Whatever byte the file ends at: what is there is the state of the last commit that is whole. */
static void any_cut_gives_the_state_of_an_earlier_commit(void **state)
{
	struct place *place = *state;
	struct learner *learner = test_learner(place->path, false, false);
	char *policies[21];
	size_t ends[21];
	size_t size, commit = 0;
	struct stat status;
	char cut_path[112];
	char *bytes;

	for (size_t i = 0; i <= 20; i++) {
		for (unsigned int n = 0; i > 0 && n < 25; n++)
			test_observe_numbered(learner, (unsigned int)i * 25 + n);
		flush(learner);
		assert_int_equal(stat(place->path, &status), 0);
		ends[i] = (size_t)status.st_size;
		policies[i] = test_policy(learner);
	}
	learner_free(learner);
	bytes = read_all(place->path, &size);
	assert_int_equal(size, ends[20]);
	snprintf(cut_path, sizeof(cut_path), "%s/cut", place->directory);
	srand(1);
	for (size_t cut = 1; cut <= size; cut += 1 + (size_t)rand() % 400) {
		char *policy;

		while (commit < 20 && ends[commit + 1] <= cut)
			commit++;
		write_file(cut_path, bytes, cut);
		policy = resumed_policy(cut_path);
		assert_string_equal(policy, policies[cut < ends[0] ? 0 : commit]);
		free(policy);
	}
	for (size_t i = 0; i <= 20; i++)
		free(policies[i]);
	free(bytes);
}

static void a_cut_end_is_cut_off_and_said(void **state)
{
	struct place *place = *state;
	struct learner *learner = test_learner(place->path, false, false);
	struct stat before, after;

	test_observe_numbered(learner, 0);
	flush(learner);
	assert_int_equal(stat(place->path, &before), 0);
	test_observe_numbered(learner, 2);
	flush(learner);
	learner_free(learner);
	assert_int_equal(truncate(place->path, before.st_size + 30), 0);
	learner = test_learner(place->path, true, false);
	assert_string_equal(learner_note(learner),
			    "the journal's last 30 bytes were cut short and are left out");
	assert_int_equal(stat(place->path, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
	learner_free(learner);
}

static void expect_refusal(const char *path, bool resume, int code, const char *words)
{
	struct learner_config config = {.journal = path, .resume = resume};
	struct error error = {0};
	struct learner *learner;

	assert_int_equal(learner_new(&config, &learner, &error), -code);
	if (!strstr(error.message, words) || !strstr(error.message, path))
		fail_msg("unexpected message: %s", error.message);
}

static void damage_in_the_middle_is_refused_with_its_place(void **state)
{
	struct place *place = *state;
	struct learner *learner = test_learner(place->path, false, false);
	size_t first, size;
	struct stat status;
	char place_text[32];
	char *bytes;

	test_observe_numbered(learner, 0);
	flush(learner);
	assert_int_equal(stat(place->path, &status), 0);
	first = (size_t)status.st_size;
	for (unsigned int i = 1; i < 3; i++) {
		test_observe_numbered(learner, i);
		flush(learner);
	}
	learner_free(learner);
	bytes = read_all(place->path, &size);
	bytes[first + 40] ^= 1;
	write_file(place->path, bytes, size);
	snprintf(place_text, sizeof(place_text), "at byte %zu,", first);
	expect_refusal(place->path, true, EINVAL, place_text);
	free(bytes);
}

static void what_is_no_journal_is_left_alone(void **state)
{
	struct place *place = *state;
	size_t size;
	char *bytes;

	write_file(place->path, "precious", 8);
	expect_refusal(place->path, true, EINVAL, "not a journal");
	bytes = read_all(place->path, &size);
	assert_int_equal(size, 8);
	assert_memory_equal(bytes, "precious", 8);
	free(bytes);
	expect_refusal(place->directory, true, EISDIR, "");
}

static void an_earlier_run_is_not_overwritten(void **state)
{
	struct place *place = *state;
	struct learner *learner = test_learner(place->path, false, false);
	struct error error = {0};

	test_observe_numbered(learner, 0);
	flush(learner);
	learner_free(learner);
	expect_refusal(place->path, false, EEXIST, "--resume");
	learner = test_learner(place->path, true, false);
	assert_int_equal(learner_discard_journal(learner, &error), 0);
	learner_free(learner);
	assert_int_equal(access(place->path, F_OK), -1);
	learner = test_learner(place->path, false, false);
	learner_free(learner);
}

static void a_second_learner_is_told_who_has_it(void **state)
{
	struct place *place = *state;
	struct learner *learner = test_learner(place->path, false, false);
	char pid[32];

	snprintf(pid, sizeof(pid), "process %d", (int)getpid());
	expect_refusal(place->path, true, EBUSY, pid);
	learner_free(learner);
}

/* A limit on the file's size stands for a full disk: the write is cut short or refused. */
static void a_full_disk_is_said_while_it_lasts_and_loses_nothing(void **state)
{
	struct place *place = *state;
	struct learner *learner = test_learner(place->path, false, false);
	struct rlimit before, limit;
	struct error error = {0};
	struct stat status;
	char *expected, *got;

	test_observe_numbered(learner, 0);
	flush(learner);
	expected = test_policy(learner);
	assert_int_equal(stat(place->path, &status), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	limit = before;
	limit.rlim_cur = (rlim_t)status.st_size + 100;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (unsigned int i = 1; i < 60; i++)
		test_observe_numbered(learner, i);
	assert_int_equal(learner_flush(learner, &error), -EFBIG);
	assert_non_null(strstr(error.message, place->path));
	test_observe_numbered(learner, 60);
	assert_int_equal(learner_flush(learner, &error), -EFBIG);
	assert_int_equal(stat(place->path, &status), 0);
	assert_int_equal((rlim_t)status.st_size, limit.rlim_cur - 100);

	/* what was there is still there, for somebody who looks now */
	{
		char copy[112];
		size_t size;
		char *bytes = read_all(place->path, &size);

		snprintf(copy, sizeof(copy), "%s/copy", place->directory);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
		write_file(copy, bytes, size);
		got = resumed_policy(copy);
		assert_string_equal(got, expected);
		free(bytes);
		free(got);
		free(expected);
	}
	/* and with room again everything gets there */
	expected = test_policy(learner);
	flush(learner);
	learner_free(learner);
	got = resumed_policy(place->path);
	assert_string_equal(got, expected);
	free(got);
	free(expected);
}

static long resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
	fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void neither_memory_nor_file_grow_with_time(void **state)
{
	struct place *place = *state;
	struct learner *learner = test_learner(place->path, false, false);
	long after_first = 0;
	struct stat status;
	off_t largest = 0;
	char *expected, *got;

	for (unsigned int round = 0; round < 100; round++) {
		for (unsigned int i = 0; i < 6000; i++)
			test_observe_numbered(learner, i);
		for (unsigned int i = 0; i < 4; i++) {
			test_observe_numbered(learner, round * 100 + i);
			flush(learner);
		}
		assert_int_equal(stat(place->path, &status), 0);
		if (status.st_size > largest)
			largest = status.st_size;
		if (round == 1)
			after_first = resident_kib();
	}
	print_message("journal at most %ld KiB, resident %ld KiB then %ld KiB\n",
		      (long)largest / 1024, after_first, resident_kib());
	assert_true(largest < 2 * 1024 * 1024);
	/* the sanitizers keep freed memory on purpose */
	if (!getenv("ASAN_OPTIONS") && after_first < 32 * 1024)
		assert_true(resident_kib() < after_first + 512);
	expected = test_policy(learner);
	learner_free(learner);
	got = resumed_policy(place->path);
	assert_string_equal(got, expected);
	free(got);
	free(expected);
}

static void cycles_are_kept_over_resuming(void **state)
{
	struct place *place = *state;
	struct learner *learner = test_learner(place->path, false, false);
	struct profile *profile;
	json_t *cycles;

	test_observe_numbered(learner, 0);
	flush(learner);
	learner_free(learner);
	learner = test_learner(place->path, true, false);
	profile = test_profile(learner);
	cycles = json_object_get(profile->evidence, "cycles");
	assert_int_equal(json_array_size(cycles), 2);
	assert_true(json_is_false(json_object_get(json_array_get(cycles, 0), "complete")));
	assert_true(json_is_true(json_object_get(json_array_get(cycles, 1), "complete")));
	profile_free(profile);
	learner_free(learner);
}

static uint64_t evicted_roles(const struct profile *profile)
{
	return (uint64_t)json_integer_value(
		json_object_get(json_object_get(profile->evidence, "evicted"), "roles"));
}

static void what_made_room_is_missing_after_a_resume_too(void **state)
{
	struct place *place = *state;
	struct learner *learner = test_learner(place->path, false, false);
	struct observation seen = {
		.kind = OBSERVATION_ROLE,
		.time_ns = TEST_START,
		.role = {.address = test_address("10.0.0.0"), .role = PEER_ROLE_RESOLVER},
	};
	struct profile *profile;

	for (unsigned int i = 0; i < state_tables[TABLE_ROLES].entry_limit + 7; i++) {
		seen.role.address.bytes[2] = (uint8_t)(i >> 8);
		seen.role.address.bytes[3] = (uint8_t)i;
		learner_observe(learner, &seen);
		/* the journal holds what had to make room as well */
		if (i % 100 == 0)
			flush(learner);
	}
	flush(learner);
	for (int run = 0; run < 3; run++) {
		learner_free(learner);
		learner = test_learner(place->path, true, false);
		profile = test_profile(learner);
		assert_int_equal(evicted_roles(profile), 7);
		assert_string_equal(learner_incomplete_reason(learner),
				    "more behaviour than the tables hold");
		profile_free(profile);
		flush(learner);
	}
	learner_free(learner);
}

/* Tables are let go only when the journal has them. */
static void what_the_journal_lacks_is_not_released(void **state)
{
	struct place *place = *state;
	struct learner *learner = test_learner(place->path, false, false);
	char *expected, *got;

	for (unsigned int i = 0; i < 100; i++)
		test_observe_numbered(learner, i);
	learner_release(learner);
	expected = test_policy(learner);
	flush(learner);
	learner_release(learner);
	flush(learner);
	learner_free(learner);
	got = resumed_policy(place->path);
	assert_string_equal(got, expected);
	free(expected);
	free(got);
}

#define with_place(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_place(a_resumed_learner_gives_the_same_profile),
		with_place(any_cut_gives_the_state_of_an_earlier_commit),
		with_place(a_cut_end_is_cut_off_and_said),
		with_place(damage_in_the_middle_is_refused_with_its_place),
		with_place(what_is_no_journal_is_left_alone),
		with_place(an_earlier_run_is_not_overwritten),
		with_place(a_second_learner_is_told_who_has_it),
		with_place(a_full_disk_is_said_while_it_lasts_and_loses_nothing),
		with_place(neither_memory_nor_file_grow_with_time),
		with_place(cycles_are_kept_over_resuming),
		with_place(what_the_journal_lacks_is_not_released),
		with_place(what_made_room_is_missing_after_a_resume_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
