/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "findings.h"
#include "report/event_line.h"
#include "report/quarantine.h"
#include "report/quarantine_store.h"

/* sha256 of "abc", FIPS 180-2 appendix B.1 */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static char base[64];
static char directory[96];

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(base, sizeof(base), "/tmp/test_quarantine.XXXXXX");
	if (!mkdtemp(base))
		return -1;
	(void)snprintf(directory, sizeof(directory), "%s/kept", base);
	return 0;
}

static size_t count_files(void)
{
	DIR *stream = opendir(directory);
	struct dirent *entry;
	size_t count = 0;

	assert_non_null(stream);
	while ((entry = readdir(stream)))
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	(void)closedir(stream);
	return count;
}

static int tear_down(void **state)
{
	DIR *stream = opendir(directory);
	struct dirent *entry;

	(void)state;
	while (stream && (entry = readdir(stream)))
		(void)unlinkat(dirfd(stream), entry->d_name, 0);
	if (stream)
		(void)closedir(stream);
	(void)rmdir(directory);
	return rmdir(base);
}

static int file_of(const char *bytes, size_t size)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/stopped", base);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, bytes, size), 0);
	assert_int_equal(unlink(path), 0);
	return fd; /* at its end, as a descriptor that others have read */
}

static struct quarantine *open_quarantine(void)
{
	struct quarantine *quarantine;
	struct error error = {0};

	if (quarantine_new(directory, &quarantine, &error) < 0)
		fail_msg("%s", error.message);
	return quarantine;
}

static uint64_t done(struct quarantine *quarantine)
{
	struct quarantine_counts counts = quarantine_counts(quarantine);

	return counts.kept + counts.known + counts.refused + counts.failed;
}

static void wait_until_done(struct quarantine *quarantine, uint64_t count)
{
	for (int i = 0; i < 5000 && done(quarantine) < count; i++)
		(void)usleep(1000);
	assert_int_equal(done(quarantine), count);
}

static void take(struct quarantine *quarantine, const char *bytes, size_t size)
{
	struct finding finding = make_finding("/tmp/tool", 1);
	uint64_t before = done(quarantine);
	int fd = file_of(bytes, size);

	finding.hashed = 0;
	quarantine_keep(quarantine, fd, &finding, 7);
	wait_until_done(quarantine, before + 1);
}

static void keeps_a_copy_and_its_event(void **state)
{
	struct quarantine *quarantine = open_quarantine();
	struct stat status;
	json_t *event;
	char path[256];
	size_t size;
	char *text;

	(void)state;
	take(quarantine, "abc", 3);
	assert_int_equal(quarantine_counts(quarantine).kept, 1);
	(void)snprintf(path, sizeof(path), "%s/" ABC, directory);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode, S_IFREG | 0400);
	assert_int_equal(file_read(path, 100, &text, &size, NULL), 0);
	assert_string_equal(text, "abc");
	free(text);
	(void)strcat(path, ".json");
	assert_int_equal(file_read(path, 10000, &text, &size, NULL), 0);
	event = event_parse(text, size);
	assert_int_equal(json_integer_value(json_object_get(event, EVENT_KEY_ID)), 7);
	assert_string_equal(json_string_value(json_object_get(event, EVENT_KEY_SHA256)), ABC);
	json_decref(event);
	free(text);
	assert_int_equal(stat(directory, &status), 0);
	assert_int_equal(status.st_mode, S_IFDIR | 0700);
	quarantine_free(quarantine);
}

static void the_same_content_is_kept_once(void **state)
{
	struct quarantine *quarantine = open_quarantine();

	(void)state;
	take(quarantine, "abc", 3);
	take(quarantine, "abc", 3);
	quarantine_free(quarantine);
	quarantine = open_quarantine();
	take(quarantine, "abc", 3);
	assert_int_equal(quarantine_counts(quarantine).known, 1);
	assert_int_equal(count_files(), 2);
	quarantine_free(quarantine);
}

static struct quarantine_store open_store(uint64_t file_limit, uint64_t total_limit)
{
	struct quarantine_store store = {.file_limit = file_limit, .total_limit = total_limit};
	int fd;

	(void)mkdir(directory, 0700);
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(quarantine_store_open(&store, fd), 0);
	return store;
}

static enum quarantine_result keep_zeros(struct quarantine_store *store, char first, size_t size)
{
	struct finding finding = make_finding("/tmp/tool", 1);
	char bytes[4096] = {first};
	int fd = file_of(bytes, size);
	enum quarantine_result result;

	finding.hashed = 0;
	result = quarantine_store_keep(store, 1, &finding, fd);
	(void)close(fd);
	return result;
}

static void limits_hold_over_restarts(void **state)
{
	struct quarantine_store store = open_store(2000, 4000);

	(void)state;
	assert_int_equal(keep_zeros(&store, 0, 2001), QUARANTINE_REFUSED);
	assert_int_equal(count_files(), 0);
	assert_int_equal(keep_zeros(&store, 0, 2000), QUARANTINE_KEPT);
	(void)close(store.directory);
	store = open_store(2000, 4000); /* 2000 and its event are there */
	assert_int_equal(keep_zeros(&store, 1, 1900), QUARANTINE_REFUSED);
	assert_int_equal(keep_zeros(&store, 1, 1000), QUARANTINE_KEPT);
	assert_int_equal(count_files(), 4);
	store.count = QUARANTINE_COUNT_LIMIT - 1;
	assert_int_equal(keep_zeros(&store, 2, 1), QUARANTINE_REFUSED);
	(void)close(store.directory);
}

static void what_is_no_file_is_refused(void **state)
{
	struct quarantine *quarantine = open_quarantine();
	struct finding finding = make_finding("/dev/zero", 1);
	int ends[2];

	(void)state;
	finding.hashed = 0;
	quarantine_keep(quarantine, open("/dev/zero", O_RDONLY | O_CLOEXEC), &finding, 1);
	assert_int_equal(pipe(ends), 0); /* reading it would wait for ever */
	quarantine_keep(quarantine, ends[0], &finding, 1);
	wait_until_done(quarantine, 2);
	assert_int_equal(quarantine_counts(quarantine).refused, 2);
	assert_int_equal(count_files(), 0);
	(void)close(ends[1]);
	quarantine_free(quarantine);
}

static void keep_abc(struct quarantine *quarantine)
{
	struct finding finding = make_finding("/x", 1);

	finding.hashed = 0;
	quarantine_keep(quarantine, file_of("abc", 3), &finding, 1);
}

static void a_worker_that_stands_still_holds_up_nobody(void **state)
{
	struct quarantine *quarantine = open_quarantine();

	(void)state;
	(void)alarm(20);
	assert_int_equal(kill(quarantine_pid(quarantine), SIGSTOP), 0);
	for (int i = 0; i < QUARANTINE_QUEUE_LIMIT + 100; i++)
		keep_abc(quarantine);
	assert_int_equal(quarantine_counts(quarantine).lost, 100);
	assert_int_equal(kill(quarantine_pid(quarantine), SIGCONT), 0);
	wait_until_done(quarantine, QUARANTINE_QUEUE_LIMIT);
	keep_abc(quarantine);
	wait_until_done(quarantine, QUARANTINE_QUEUE_LIMIT + 1);
	assert_int_equal(quarantine_counts(quarantine).lost, 100);
	quarantine_free(quarantine);
	(void)alarm(0);
}

static void a_worker_that_ends_is_followed_by_another(void **state)
{
	struct quarantine *quarantine = open_quarantine();

	(void)state;
	assert_false(quarantine_child(quarantine, 1));
	for (unsigned int i = 0; i <= QUARANTINE_RESTART_LIMIT; i++) {
		pid_t pid = quarantine_pid(quarantine);

		assert_true(pid > 0);
		assert_int_equal(quarantine_restarts(quarantine), i);
		keep_abc(quarantine);
		wait_until_done(quarantine, i + 1);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		if (i == 0)
			keep_abc(quarantine); /* is lost, before we know that it is gone */
		assert_true(quarantine_child(quarantine, pid));
	}
	assert_int_equal(quarantine_pid(quarantine), 0);
	assert_int_equal(quarantine_counts(quarantine).lost, 1);
	keep_abc(quarantine);
	assert_int_equal(quarantine_counts(quarantine).lost, 2);
	quarantine_free(quarantine);
}

static void the_worker_steps_back(void **state)
{
	struct quarantine *quarantine = open_quarantine();

	(void)state;
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)quarantine_pid(quarantine)), 19);
	quarantine_free(quarantine);
}

static void leftovers_go_and_bad_places_are_told(void **state)
{
	struct quarantine *quarantine;
	struct error error = {0};
	char path[128];
	int fd;

	(void)state;
	assert_int_equal(mkdir(directory, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/.incoming", directory);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0400);
	(void)close(fd);
	quarantine_free(open_quarantine());
	assert_int_equal(count_files(), 0);
	assert_int_equal(quarantine_new("/dev/null", &quarantine, &error), -ENOTDIR);
	assert_non_null(strstr(error.message, "/dev/null"));
}

#define with_directory(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_directory(keeps_a_copy_and_its_event),
		with_directory(the_same_content_is_kept_once),
		with_directory(limits_hold_over_restarts),
		with_directory(what_is_no_file_is_refused),
		with_directory(a_worker_that_stands_still_holds_up_nobody),
		with_directory(a_worker_that_ends_is_followed_by_another),
		with_directory(the_worker_steps_back),
		with_directory(leftovers_go_and_bad_places_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
