/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "backends/xtables_lock.h"
#include "base/cleanup.h"
#include "base/clock.h"

struct scene {
	char directory[64];
	char file[128];
};

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	(void)snprintf(scene->directory, sizeof(scene->directory), "/tmp/rtguard-lock-XXXXXX");
	assert_non_null(mkdtemp(scene->directory));
	(void)snprintf(scene->file, sizeof(scene->file), "%s/run/xtables.lock", scene->directory);
	assert_int_equal(setenv("XTABLES_LOCKFILE", scene->file, 1), 0);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	(void)unlink(scene->file);
	*strrchr(scene->file, '/') = '\0';
	(void)rmdir(scene->file);
	(void)rmdir(scene->directory);
	free(scene);
	return 0;
}

/* A child that holds the lock until the pipe is closed. */
static pid_t hold(const char *path, int *ret_release)
{
	int ready[2];
	int release[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(release, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);

		(void)close(release[1]);
		if (fd < 0 || flock(fd, LOCK_EX) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		_exit(read(release[0], &byte, 1) == 0 ? 0 : 1);
	}
	(void)close(ready[1]);
	(void)close(release[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	*ret_release = release[1];
	return child;
}

static void test_makes_directory_and_locks(void **state)
{
	struct scene *scene = *state;
	struct stat status;
	int lock = -1;
	_cleanup_(closep) int other = -1;

	assert_int_equal(xtables_lock(100, &lock, NULL), 0);
	assert_int_equal(stat(scene->file, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	other = open(scene->file, O_RDONLY | O_CLOEXEC);
	assert_true(other >= 0);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
	closep(&lock);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
}

static void test_held_too_long(void **state)
{
	struct scene *scene = *state;
	struct error error = {0};
	char process[32];
	uint64_t began_ns;
	uint64_t waited_ms;
	int release;
	int lock = -1;
	pid_t child;

	assert_int_equal(xtables_lock(0, &lock, NULL), 0);
	closep(&lock);
	lock = -1;
	child = hold(scene->file, &release);
	began_ns = clock_monotonic_ns();
	assert_int_equal(xtables_lock(300, &lock, &error), -EBUSY);
	waited_ms = (clock_monotonic_ns() - began_ns) / NS_PER_MS;
	assert_int_equal(lock, -1);
	assert_in_range(waited_ms, 300, 2000);
	(void)snprintf(process, sizeof(process), "(process %d)", (int)child);
	if (!strstr(error.message, process))
		fail_msg("\"%s\" does not name %s", error.message, process);
	assert_non_null(strstr(error.message, scene->file));
	closep(&release);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_freed_in_time(void **state)
{
	struct scene *scene = *state;
	int release;
	int lock = -1;
	pid_t child;
	pid_t helper;

	assert_int_equal(xtables_lock(0, &lock, NULL), 0);
	closep(&lock);
	lock = -1;
	child = hold(scene->file, &release);
	helper = fork();
	if (helper == 0) {
		(void)usleep(200000);
		_exit(0); /* its copy of the pipe's end goes with it */
	}
	(void)close(release);
	assert_int_equal(xtables_lock(5000, &lock, NULL), 0);
	closep(&lock);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(waitpid(helper, NULL, 0), helper);
}

static void test_file_that_cannot_be(void **state)
{
	struct error error = {0};
	int lock = -1;

	(void)state;
	assert_int_equal(setenv("XTABLES_LOCKFILE", "/proc/none/xtables.lock", 1), 0);
	assert_true(xtables_lock(0, &lock, &error) < 0);
	assert_non_null(strstr(error.message, "/proc"));
	assert_int_equal(lock, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_makes_directory_and_locks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_held_too_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_freed_in_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_file_that_cannot_be, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
