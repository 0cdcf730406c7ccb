/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guard, asked from where it cannot look: filesystems that processes serve, processes of
 * another namespace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "fuse_server.h"
#include "guard_scene.h"
#include "stage.h"

static int set_up(void **state)
{
	static struct guard_scene one;

	*state = &one;
	scene_new(&one);
	(void)unlink("/mnt/trace");
	copy_file("/usr/bin/touch", "/mnt/known");
	copy_file("/usr/bin/touch", "/mnt/evil");
	append_to("/mnt/evil", "x");
	scene_program(&one, "/proc/self/exe", NULL); /* what our children are before they exec */
	scene_program(&one, "/mnt/known", NULL);
	(void)usleep(250000);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return 0;
}

static bool left_a_trace(void)
{
	bool left = exists("/mnt/trace");

	(void)unlink("/mnt/trace");
	return left;
}

static bool serve_or_skip(struct fuse_server *server, bool never_opens)
{
	int result = fuse_server_start(server, "/mnt/fuse", "/mnt/known", never_opens);

	if (result == 0)
		return true;
	print_message("skipped: no FUSE: %s\n", strerror(-result));
	skip();
	return false;
}

/* Its content would be known, but the next read may bring another. */
static void test_served_program_does_not_run(void **state)
{
	struct guard_scene *scene = *state;
	struct fuse_server server;
	struct finding finding;

	if (!serve_or_skip(&server, false))
		return;
	scene_start(scene, GUARD_ENFORCE);
	/* known, while nobody has it from the server */
	assert_int_equal(run("/mnt/known", "known /mnt/trace"), 0);
	assert_true(left_a_trace());
	/* the backstop's case too: nothing on such a mount is asked about, so that its first open
	 * under the new identity is what ends it */
	assert_int_equal(run("/mnt/fuse/program", "program /mnt/trace"), 128 + SIGKILL);
	assert_false(left_a_trace());
	assert_true(scene_finding(scene, &finding));
	assert_string_equal(finding_kind_name(finding.kind),
			    finding_kind_name(FINDING_FILESYSTEM_UNTRUSTED));
	assert_string_equal(finding.path, "/mnt/fuse/program");
	fuse_server_end(&server, "/mnt/fuse");
	scene_end(scene);
}

/* Another process's exec goes on while this one waits for a server for ever. */
static void test_silent_server_stalls_nobody(void **state)
{
	struct guard_scene *scene = *state;
	struct fuse_server server;
	uint64_t began_ns;
	int status;
	pid_t pid;

	if (!serve_or_skip(&server, true))
		return;
	scene_start(scene, GUARD_ENFORCE);
	pid = fork();
	if (pid == 0) {
		(void)execl("/mnt/fuse/program", "program", "/mnt/trace", NULL);
		_exit(1);
	}
	(void)usleep(200000);
	began_ns = clock_monotonic_ns();
	assert_int_equal(run("/mnt/known", "known /mnt/trace"), 0);
	assert_true(left_a_trace());
	assert_true(clock_monotonic_ns() - began_ns < NS_PER_S);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	fuse_server_end(&server, "/mnt/fuse");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(left_a_trace());
	scene_end(scene);
}

/* In a process namespace of its own, with its own /proc: whoever asks from outside has no number.
 */
static void guard_from_within(struct guard_scene *scene, int ready, int done)
{
	char byte = 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mount("proc", "/proc", "proc", 0, NULL) < 0)
		_exit(1);
	scene_start(scene, GUARD_ENFORCE);
	(void)!write(ready, "", 1);
	(void)!read(done, &byte, 1);
	for (struct finding finding; scene_finding(scene, &finding);)
		if (finding.pid != 0 || finding.kind != FINDING_PROGRAM_UNKNOWN ||
		    finding.action != ACTION_DENIED || strcmp(finding.path, "/mnt/evil") != 0)
			_exit(2);
	(void)umount("/proc");
	_exit(scene->config.desk->killed || scene->config.desk->denied != 2 ? 3 : 0);
}

/* This process is a program that the profile does not have: whoever is outside is not looked at,
 * what it asks for is. */
static void test_outsiders_are_judged_by_content(void **state)
{
	struct guard_scene *scene = *state;
	int ready[2];
	int done[2];
	char byte;
	int status;
	pid_t outside;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(done, O_CLOEXEC), 0);
	outside = fork();
	if (outside == 0) {
		int result;

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWPID) < 0)
			_exit(10);
		pid = fork();
		if (pid == 0)
			guard_from_within(scene, ready[1], done[0]);
		if (setns(open("/proc/1/ns/pid", O_RDONLY | O_CLOEXEC), CLONE_NEWPID) < 0 ||
		    read(ready[0], &byte, 1) != 1)
			_exit(11);
		result = run("/mnt/evil", "evil /mnt/trace") == -EPERM &&
			 run("/mnt/evil", "evil /mnt/trace") == -EPERM && !left_a_trace() &&
			 run("/mnt/known", "known /mnt/trace") == 0 && left_a_trace();
		(void)!write(done[1], "", 1);
		if (waitpid(pid, &status, 0) != pid)
			_exit(12);
		_exit(!result ? 13 : WIFEXITED(status) ? WEXITSTATUS(status) : 14);
	}
	assert_int_equal(waitpid(outside, &status, 0), outside);
	assert_int_equal(status, 0);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test_setup_teardown(test_served_program_does_not_run, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_silent_server_stalls_nobody, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_outsiders_are_judged_by_content, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("guard_places", all, NULL, NULL);
}

int main(void)
{
	return stage_run(tests, 60);
}
