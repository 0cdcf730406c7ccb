/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "observe/host/executable.h"

#define LARGE (64 * 1024 * 1024)

struct scene {
	struct loop *loop;
	struct executables *executables;
	struct executable last;
	int done;
	char path[64];
	int fd; /* writes to path */
	int changes;
	int changes_limit;
};

static int make_scene(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	(void)strcpy(scene->path, "/tmp/rtguard-test.XXXXXX");
	scene->fd = mkstemp(scene->path);
	assert_true(scene->fd >= 0);
	assert_int_equal(loop_new(&scene->loop), 0);
	assert_int_equal(executables_new(scene->loop, 8, &scene->executables), 0);
	*state = scene;
	return 0;
}

static int end_scene(void **state)
{
	struct scene *scene = *state;

	executables_free(scene->executables);
	loop_free(scene->loop);
	(void)close(scene->fd);
	(void)unlink(scene->path);
	free(scene);
	return 0;
}

static void done(void *context, const struct executable *executable)
{
	struct scene *scene = context;

	scene->last = *executable;
	scene->done++;
}

static void hash(struct scene *scene)
{
	int fd = open(scene->path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	executables_hash(scene->executables, fd, done, scene);
}

static void hashes_what_the_descriptor_holds(void **state)
{
	struct scene *scene = *state;
	unsigned char expected[SHA256_SIZE];

	assert_int_equal(write(scene->fd, "#!/bin/sh\n", 10), 10);
	(void)crypto_hash_sha256(expected, (const unsigned char *)"#!/bin/sh\n", 10);
	hash(scene);
	assert_int_equal(unlink(scene->path), 0); /* changes ctime: read once more, and done */
	executables_finish(scene->executables);
	assert_int_equal(scene->done, 1);
	assert_true(scene->last.hashed);
	assert_null(scene->last.unreadable);
	assert_int_equal(scene->last.kind, EXECUTABLE_SCRIPT);
	assert_memory_equal(scene->last.sha256, expected, SHA256_SIZE);
}

static void change(void *context)
{
	struct scene *scene = context;

	if (scene->done || scene->changes == scene->changes_limit)
		return;
	scene->changes++;
	assert_int_equal(pwrite(scene->fd, &scene->changes, sizeof(scene->changes), 5),
			 sizeof(scene->changes));
}

static void stop_when_done(void *context)
{
	struct scene *scene = context;

	change(scene);
	if (scene->done)
		loop_stop(scene->loop, 0);
}

static void a_file_that_never_stays_the_same(void **state)
{
	struct scene *scene = *state;

	scene->changes_limit = 1000000;
	assert_int_equal(ftruncate(scene->fd, LARGE), 0);
	executables_on_progress(scene->executables, change, scene);
	hash(scene);
	assert_int_equal(loop_add_timer(scene->loop, NS_PER_MS, stop_when_done, scene, NULL), 0);
	assert_int_equal(loop_run(scene->loop), 0);
	assert_int_equal(scene->done, 1);
	assert_false(scene->last.hashed);
	assert_string_equal(scene->last.unreadable, "changed while it was read");
}

static void a_file_that_changed_once_is_read_again(void **state)
{
	struct scene *scene = *state;
	unsigned char expected[SHA256_SIZE];
	unsigned char *content = calloc(1, LARGE);

	scene->changes_limit = 1;
	assert_int_equal(ftruncate(scene->fd, LARGE), 0);
	executables_on_progress(scene->executables, change, scene);
	hash(scene);
	assert_int_equal(loop_add_timer(scene->loop, NS_PER_MS, stop_when_done, scene, NULL), 0);
	assert_int_equal(loop_run(scene->loop), 0);
	assert_int_equal(scene->changes, 1);
	content[5] = 1;
	(void)crypto_hash_sha256(expected, content, LARGE);
	assert_true(scene->last.hashed);
	assert_memory_equal(scene->last.sha256, expected, SHA256_SIZE);
	free(content);
}

static void what_changed_a_moment_ago_is_not_remembered(void **state)
{
	struct scene *scene = *state;
	struct stat status;
	struct file_key key;

	assert_int_equal(write(scene->fd, "data", 4), 4);
	hash(scene);
	executables_finish(scene->executables);
	assert_int_equal(fstat(scene->fd, &status), 0);
	key = file_key_of(&status);
	assert_false(executables_knows(scene->executables, &key));
	executables_add_note(scene->executables, &key, EXECUTABLE_MAPPED);
	assert_false(executables_has_note(scene->executables, &key, EXECUTABLE_MAPPED));
	(void)sleep(3);
	hash(scene);
	executables_finish(scene->executables);
	assert_true(executables_knows(scene->executables, &key));
	assert_true(executables_has_note(scene->executables, &key, EXECUTABLE_MAPPED));
	hash(scene); /* known: called back at once */
	assert_int_equal(scene->done, 3);
	assert_int_equal(executables_room(scene->executables), 8);
}

static void what_cannot_be_read_says_why(void **state)
{
	struct scene *scene = *state;

	executables_hash(scene->executables, open("/", O_RDONLY | O_DIRECTORY), done, scene);
	assert_int_equal(scene->done, 1);
	assert_string_equal(scene->last.unreadable, "not a regular file");
	assert_int_equal(ftruncate(scene->fd, (off_t)5 << 30), 0);
	hash(scene);
	assert_int_equal(scene->done, 2);
	assert_string_equal(scene->last.unreadable, "larger than 4 GiB");
}

static void giving_up_calls_back(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(ftruncate(scene->fd, LARGE), 0);
	hash(scene);
	assert_int_equal(executables_room(scene->executables), 7);
	executables_free(scene->executables);
	scene->executables = NULL;
	assert_int_equal(scene->done, 1);
	assert_string_equal(scene->last.unreadable, "given up");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_scene, end_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hashes_what_the_descriptor_holds),
		TEST(a_file_that_never_stays_the_same),
		TEST(a_file_that_changed_once_is_read_again),
		TEST(what_changed_a_moment_ago_is_not_remembered),
		TEST(what_cannot_be_read_says_why),
		TEST(giving_up_calls_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
