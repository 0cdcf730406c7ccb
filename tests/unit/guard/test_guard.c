/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guard with real effects: what runs, what does not, what the kernel asks again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "guard_scene.h"
#include "stage.h"

static const char *const shell_vectors[] = {"/mnt/job.sh", "/mnt/job", "-c :", NULL};

/* touch leaves a trace: /mnt/trace */
static int begin(void **state, enum guard_mode mode)
{
	static struct guard_scene one;
	struct guard_scene *scene = &one;

	*state = scene;
	scene_new(scene);
	(void)unlink("/mnt/trace");
	copy_file("/usr/bin/touch", "/mnt/known");
	copy_file("/usr/bin/touch", "/mnt/evil");
	append_to("/mnt/evil", "x");
	copy_file("/bin/dash", "/mnt/sh");
	write_file("/mnt/job.sh", "#!/mnt/sh\n: > /mnt/trace\n");
	write_file("/mnt/job", ": > /mnt/trace\n");
	write_file("/mnt/evil.sh", "#!/mnt/sh\n: > /mnt/trace # evil\n");
	scene_program(scene, "/proc/self/exe", NULL); /* what our children are before they exec */
	scene_program(scene, "/mnt/known", NULL);
	scene_program(scene, "/usr/bin/cat", NULL);
	scene_program(scene, "/mnt/sh", shell_vectors);
	scene_script(scene, "/mnt/job.sh", "/mnt/sh");
	scene_script(scene, "/mnt/job", "/mnt/sh");
	/* old enough for their times to mean something */
	(void)usleep(250000);
	scene_start(scene, mode);
	return 0;
}

static int set_up(void **state)
{
	return begin(state, GUARD_ENFORCE);
}

static int set_up_audit(void **state)
{
	return begin(state, GUARD_AUDIT);
}

static int tear_down(void **state)
{
	scene_end(*state);
	return 0;
}

static bool left_a_trace(void)
{
	bool left = exists("/mnt/trace");

	(void)unlink("/mnt/trace");
	return left;
}

static void assert_found(struct guard_scene *scene, enum finding_kind kind,
			 enum finding_action action, const char *path)
{
	struct finding finding;

	assert_true(scene_finding(scene, &finding));
	assert_string_equal(finding_kind_name(finding.kind), finding_kind_name(kind));
	assert_string_equal(finding_action_name(finding.action), finding_action_name(action));
	assert_string_equal(finding.path, path);
}

static void assert_none_found(struct guard_scene *scene)
{
	struct finding finding;

	if (!scene_finding(scene, &finding))
		return;
	fail_msg("%s: %s by %s", finding_kind_name(finding.kind), finding.path, finding.program);
}

static void test_known_runs(void **state)
{
	struct guard_scene *scene = *state;

	assert_int_equal(run("/mnt/known", "known /mnt/trace"), 0);
	assert_true(left_a_trace());
	assert_none_found(scene);
}

static void test_unknown_does_not_run(void **state)
{
	struct guard_scene *scene = *state;

	assert_int_equal(run("/mnt/evil", "evil /mnt/trace"), -EPERM);
	assert_false(left_a_trace());
	assert_found(scene, FINDING_PROGRAM_UNKNOWN, ACTION_DENIED, "/mnt/evil");
}

static void test_replaced_content_does_not_run(void **state)
{
	struct guard_scene *scene = *state;

	assert_int_equal(run("/mnt/known", "known /mnt/trace"), 0);
	assert_true(left_a_trace());
	copy_file("/mnt/evil", "/mnt/known"); /* written over */
	assert_int_equal(run("/mnt/known", "known /mnt/trace"), -EPERM);
	assert_found(scene, FINDING_PROGRAM_CHANGED, ACTION_DENIED, "/mnt/known");
	copy_file("/usr/bin/touch", "/mnt/other");
	assert_int_equal(rename("/mnt/other", "/mnt/known"), 0);
	assert_int_equal(run("/mnt/known", "known /mnt/trace"), 0);
	assert_true(left_a_trace());
	assert_int_equal(rename("/mnt/evil", "/mnt/known"), 0);
	assert_int_equal(run("/mnt/known", "known /mnt/trace"), -EPERM);
	assert_false(left_a_trace());
}

/* The same size, and the modification time set back. */
static void test_forged_times(void **state)
{
	struct timespec times[2];
	struct stat status;
	int fd;

	(void)state;
	assert_int_equal(run("/mnt/known", "known /mnt/trace"), 0);
	assert_true(left_a_trace());
	assert_int_equal(stat("/mnt/known", &status), 0);
	fd = open("/mnt/known", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "!", 1, status.st_size - 1), 1);
	times[0] = status.st_atim;
	times[1] = status.st_mtim;
	assert_int_equal(futimens(fd, times), 0);
	(void)close(fd);
	assert_int_equal(run("/mnt/known", "known /mnt/trace"), -EPERM);
	assert_false(left_a_trace());
}

static void test_library(void **state)
{
	struct guard_scene *scene = *state;

	copy_file("/lib64/ld-linux-x86-64.so.2", "/mnt/evil.so");
	append_to("/mnt/evil.so", "x");
	assert_int_equal(setenv("LD_PRELOAD", "/mnt/evil.so", 1), 0);
	/* the loader says so, and goes on without */
	assert_int_equal(run("/mnt/known", "known /mnt/trace"), 0);
	assert_int_equal(unsetenv("LD_PRELOAD"), 0);
	assert_found(scene, FINDING_EXECUTABLE_OPENED, ACTION_DENIED, "/mnt/evil.so");
}

static uint64_t events_for_opening(struct guard_scene *scene, const char *path)
{
	uint64_t before = scene->config.desk->events;

	for (int i = 0; i < 100; i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		assert_true(fd >= 0);
		(void)close(fd);
	}
	return scene->config.desk->events - before;
}

static void test_kernel_remembers(void **state)
{
	struct guard_scene *scene = *state;

	assert_int_equal(run("/usr/bin/cat", "cat /mnt/known"), 0);
	assert_int_equal(events_for_opening(scene, "/mnt/known"), 0);
	assert_true(events_for_opening(scene, "/etc/ld.so.cache") >= 100);
	/* what is written to is asked for again, and no longer known */
	append_to("/mnt/known", "x");
	assert_int_equal(run("/usr/bin/cat", "cat /mnt/known"), 1);
	assert_found(scene, FINDING_EXECUTABLE_OPENED, ACTION_DENIED, "/mnt/known");
}

static void test_scripts(void **state)
{
	struct guard_scene *scene = *state;

	assert_int_equal(run("/mnt/job.sh", "job.sh"), 0);
	assert_true(left_a_trace());
	assert_int_equal(run("/mnt/sh", "sh /mnt/job.sh"), 0);
	assert_true(left_a_trace());
	assert_int_equal(run("/mnt/sh", "sh /mnt/job"), 0);
	assert_true(left_a_trace());
	assert_none_found(scene);

	assert_int_equal(run("/mnt/evil.sh", "evil.sh"), -EPERM);
	assert_found(scene, FINDING_PROGRAM_UNKNOWN, ACTION_DENIED, "/mnt/evil.sh");
	assert_int_equal(run("/mnt/sh", "sh /mnt/evil.sh"), -EPERM);
	assert_found(scene, FINDING_ARGUMENTS_UNKNOWN, ACTION_DENIED, "/mnt/sh");
	assert_int_equal(run("/mnt/sh", "sh -c :>/mnt/trace"), -EPERM);
	assert_found(scene, FINDING_ARGUMENTS_UNKNOWN, ACTION_DENIED, "/mnt/sh");
	assert_int_equal(run("/mnt/sh", "sh -c :"), 0);
	assert_false(left_a_trace());
}

/* The learnt vector names the file, whose content is another one now. */
static void test_replaced_script(void **state)
{
	struct guard_scene *scene = *state;
	struct finding finding;

	/* denied, or, where its arguments could not be read in time, ended at its first open */
	write_file("/mnt/job", ": > /mnt/trace # evil\n");
	assert_int_not_equal(run("/mnt/sh", "sh /mnt/job"), 0);
	assert_true(scene_finding(scene, &finding));
	assert_int_equal(finding.kind, FINDING_SCRIPT_UNKNOWN);
	write_file("/mnt/job.sh", "#!/mnt/sh\n: > /mnt/trace # evil\n");
	assert_int_equal(run("/mnt/job.sh", "job.sh"), -EPERM);
	assert_int_not_equal(run("/mnt/sh", "sh /mnt/job.sh"), 0);
	assert_false(left_a_trace());
}

/* A program that was put into memory: its first open ends it. */
static void test_memory_program(void **state)
{
	struct guard_scene *scene = *state;
	int memory;
	pid_t pid;
	int status;

	memory = memfd_create("evil", 0);
	assert_true(memory >= 0);
	pid = fork();
	if (pid == 0) {
		char *const vector[] = {(char[]){"touch"}, (char[]){"/mnt/trace"}, NULL};
		char *const environment[] = {NULL};
		char bytes[4096];
		ssize_t got;
		int from = open("/mnt/evil", O_RDONLY);

		while ((got = read(from, bytes, sizeof(bytes))) > 0)
			(void)!write(memory, bytes, (size_t)got);
		(void)syscall(SYS_execveat, memory, "", vector, environment, AT_EMPTY_PATH);
		_exit(errno);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_false(left_a_trace());
	assert_found(scene, FINDING_IMAGE_UNKNOWN, ACTION_KILLED, "/memfd:evil");
	assert_int_equal(scene->config.desk->killed, 1);
}

static void test_audit(void **state)
{
	struct guard_scene *scene = *state;

	assert_int_equal(run("/mnt/evil", "evil /mnt/trace"), 0);
	assert_true(left_a_trace());
	assert_found(scene, FINDING_PROGRAM_UNKNOWN, ACTION_REPORTED, "/mnt/evil");
}

/* Ten gigabytes of nothing behind an ELF header: neither it nor anything else waits. */
static void test_huge_file(void **state)
{
	struct guard_scene *scene = *state;
	uint64_t begun_ns;
	int status;
	pid_t pid;

	assert_int_equal(truncate("/mnt/evil", INT64_C(10) << 30), 0);
	begun_ns = clock_monotonic_ns();
	assert_int_equal(run("/mnt/evil", "evil /mnt/trace"), -EPERM);
	assert_found(scene, FINDING_FILE_TOO_LARGE, ACTION_DENIED, "/mnt/evil");
	assert_int_equal(truncate("/mnt/evil", INT64_C(600) << 20), 0);
	pid = fork();
	if (pid == 0)
		_exit(run("/mnt/evil", "evil /mnt/trace") == -EPERM ? 0 : 1);
	(void)usleep(20000);
	for (int i = 0; i < 10; i++)
		assert_int_equal(run("/usr/bin/cat", "cat /etc/ld.so.cache"), 0);
	assert_true(clock_monotonic_ns() - begun_ns < 2 * NS_PER_S);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0); /* it still waits */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_false(left_a_trace());
}

/* A guard that does not answer shows; the next one answers what it left. */
static void test_stopped_guard(void **state)
{
	struct guard_scene *scene = *state;
	uint64_t beat;
	int status;
	pid_t pid;

	assert_int_equal(run("/mnt/known", "known /mnt/trace"), 0);
	(void)usleep(50000);
	assert_int_equal(scene->config.desk->busy_since_ns, 0);
	beat = scene->config.desk->beat;
	assert_true(beat > 0);
	assert_int_equal(kill(scene->guard, SIGSTOP), 0);
	pid = fork();
	if (pid == 0)
		_exit(run("/mnt/evil", "evil /mnt/trace2") == -EPERM ? 0 : 1);
	(void)usleep(200000);
	assert_int_equal(scene->config.desk->beat, beat);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	scene_restart(scene);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* An event at which three guards ended is denied unseen. */
static void test_suspect(void **state)
{
	struct guard_scene *scene = *state;
	struct pollfd waited = {.fd = scene->fanotify, .events = POLLIN};
	struct desk *desk;
	int status;
	pid_t pid;

	desk = scene->config.desk;
	/* forget what /mnt/known is, so that it is asked for */
	assert_int_equal(kill(scene->guard, SIGSTOP), 0);
	pid = fork();
	if (pid == 0)
		_exit(run("/mnt/known", "known /mnt/trace") == -EPERM ? 0 : 1);
	assert_int_equal(poll(&waited, 1, 10000), 1);
	/* the guard took the event and ended, three times */
	(void)kill(scene->guard, SIGKILL);
	assert_int_equal(waitpid(scene->guard, NULL, 0), scene->guard);
	assert_true(desk_fill(desk, scene->fanotify) > 0);
	desk->suspect_fd = ((const struct fanotify_event_metadata *)desk_event(desk))->fd;
	desk->suspect_count = 2;
	scene->guard = guard_start(&scene->config);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(desk->unseen, 1);
	assert_int_equal(run("/mnt/known", "known /mnt/trace"), 0);
}

/* Whatever an earlier guard left in the buffer, what is read next is followed by zeros. */
static void test_buffer(void **state)
{
	static const uint32_t lengths[] = {0, 24, DESK_BUFFER_SIZE - 8, DESK_BUFFER_SIZE, 4096};
	static const uint8_t zeros[DESK_BUFFER_SIZE];
	struct desk *desk;
	int queue[2];
	int fd;

	(void)state;
	assert_int_equal(desk_new(&fd, &desk), 0);
	assert_int_equal(pipe2(queue, O_NONBLOCK), 0);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		memset(desk->buffer, 'e', lengths[i]);
		desk->cursor = lengths[i];
		if (i == 4) /* it came to rest before the end */
			desk->cursor = 48;
		assert_int_equal(write(queue[1], "event", 5), 5);
		assert_int_equal(desk_fill(desk, queue[0]), 5);
		assert_int_equal(desk->cursor, 0);
		assert_memory_equal(desk->buffer, "event", 5);
		assert_memory_equal(desk->buffer + 5, zeros, sizeof(zeros) - 5);
		memset(desk->buffer, 0, 5);
	}
	(void)close(queue[0]);
	(void)close(queue[1]);
	(void)close(fd);
	desk_unmap(desk);
}

static bool tried(const char *path, const char *words, int expected)
{
	char text[160];
	int result = run(path, words);
	int length = snprintf(text, sizeof(text), "%s: %d and not %d\n", words, result, expected);

	if (result != expected)
		(void)!write(STDERR_FILENO, text, (size_t)length);
	return result == expected;
}

static int try_all(void)
{
	while (!exists("/mnt/enough"))
		if (!tried("/mnt/known", "known /mnt/trace", 0) ||
		    !tried("/mnt/sh", "sh /mnt/job.sh", 0) ||
		    !tried("/mnt/evil", "evil /mnt/evil-was-here", -EPERM))
			return 1;
	return 0;
}

/* A guard takes so long to start under a sanitizer that three in turn are killed over one event,
 * which is denied unseen then. */
static void no_storm(void **state)
{
	(void)state;
	print_message("the storm is not tried under a sanitizer\n");
	skip();
}

/* Guards are killed while programs run: nothing unknown runs, nothing known fails. */
static void test_storm(void **state)
{
	uint64_t until_ns = clock_monotonic_ns() + 5 * NS_PER_S;
	struct guard_scene *scene = *state;
	unsigned int seed = 1;
	pid_t workers[3];
	int guards = 0;

	for (size_t i = 0; i < 3; i++) {
		workers[i] = fork();
		if (workers[i] == 0)
			_exit(try_all());
	}
	while (clock_monotonic_ns() < until_ns) {
		(void)usleep((useconds_t)(rand_r(&seed) % 50000));
		scene_restart(scene);
		guards++;
	}
	write_file("/mnt/enough", "");
	for (size_t i = 0; i < 3; i++) {
		int status;

		assert_int_equal(waitpid(workers[i], &status, 0), workers[i]);
		assert_int_equal(status, 0);
	}
	assert_false(exists("/mnt/evil-was-here"));
	assert_int_equal(scene->config.desk->unseen, 0);
	print_message("%d guards, %lu events, %lu denied\n", guards,
		      (unsigned long)scene->config.desk->events,
		      (unsigned long)scene->config.desk->denied);
	assert_true(scene->config.desk->denied > 20);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test_setup_teardown(test_known_runs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unknown_does_not_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_replaced_content_does_not_run, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_forged_times, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_library, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kernel_remembers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_scripts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_replaced_script, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_memory_program, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_audit, set_up_audit, tear_down),
		cmocka_unit_test_setup_teardown(test_huge_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stopped_guard, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_suspect, set_up, tear_down),
		cmocka_unit_test(test_buffer),
		IS_SANITIZED ? (struct CMUnitTest)cmocka_unit_test(no_storm)
			     : (struct CMUnitTest)cmocka_unit_test_setup_teardown(
				       test_storm, set_up, tear_down),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}

int main(void)
{
	return stage_run(tests, 100);
}
