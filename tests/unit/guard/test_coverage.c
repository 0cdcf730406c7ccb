/* SPDX-License-Identifier: GPL-2.0-or-later */
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "guard/coverage.h"
#include "stage.h"

struct scene {
	struct loop *loop;
	struct coverage *coverage;
	struct loop_source *limit;
};

static void stop(void *context)
{
	loop_stop(context, 0);
}

static void begin(struct scene *scene, enum guard_mode mode)
{
	struct error error = {0};

	assert_int_equal(loop_new(&scene->loop), 0);
	if (coverage_new(mode, COVERAGE_MOUNTS, -1, &scene->coverage, &error) < 0)
		fail_msg("%s", error.message);
	coverage_on_change(scene->coverage, stop, scene->loop);
}

static void start(struct scene *scene)
{
	struct error error = {0};

	if (coverage_start(scene->coverage, scene->loop, &error) < 0)
		fail_msg("%s", error.message);
}

static void end(struct scene *scene)
{
	coverage_free(scene->coverage);
	loop_free(scene->loop);
}

/* Until something changes, for two seconds at the most. */
static void wait_for_change(struct scene *scene)
{
	struct loop_source *limit;

	assert_int_equal(loop_add_timer(scene->loop, 2 * NS_PER_S, stop, scene->loop, &limit), 0);
	assert_int_equal(loop_run(scene->loop), 0);
	loop_remove(limit);
}

static void make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);

	assert_true(fd >= 0);
	(void)close(fd);
}

/* Takes all events there are; returns how many were of opens by that process. */
static int events_of(struct scene *scene, pid_t pid)
{
	struct fanotify_event_metadata buffer[64];
	int count = 0;
	ssize_t size;

	while ((size = read(coverage_fd(scene->coverage), buffer, sizeof(buffer))) > 0)
		for (struct fanotify_event_metadata *event = buffer; FAN_EVENT_OK(event, size);
		     event = FAN_EVENT_NEXT(event, size)) {
			if (event->pid == pid && event->mask & FAN_OPEN)
				count++;
			(void)close(event->fd);
		}
	return count;
}

/* A child opens the file, and nothing else. It must not hold the group that it may wait for. */
static pid_t open_by_child(const struct scene *scene, const char *path)
{
	pid_t pid = fork();

	if (pid == 0) {
		int fd;

		(void)close(coverage_fd(scene->coverage));
		fd = open(path, O_RDONLY | O_CLOEXEC);
		_exit(fd < 0 ? errno : 0);
	}
	assert_true(pid > 0);
	return pid;
}

/* A child becomes that program. */
static pid_t exec_by_child(const struct scene *scene, const char *path)
{
	char *const vector[] = {(char *)(uintptr_t)path, NULL};
	pid_t pid = fork();

	if (pid == 0) {
		(void)close(coverage_fd(scene->coverage));
		(void)execv(path, vector);
		_exit(errno);
	}
	assert_true(pid > 0);
	return pid;
}

static void copy_program(const char *from, const char *to)
{
	char *bytes;
	size_t size;
	int fd;

	assert_int_equal(file_read(from, 256U << 20, &bytes, &size, NULL), 0);
	fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, bytes, size), 0);
	(void)close(fd);
	free(bytes);
}

static int status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int opens_seen(struct scene *scene, const char *path)
{
	pid_t pid;

	(void)events_of(scene, 0);
	pid = open_by_child(scene, path);
	assert_int_equal(status_of(pid), 0);
	return events_of(scene, pid);
}

static void follows_mounts(void **state)
{
	struct scene scene;
	size_t count;

	(void)state;
	make_file("/mnt/a");
	assert_int_equal(mkdir("/mnt/new", 0755), 0);
	begin(&scene, GUARD_AUDIT);
	assert_int_equal(coverage_scope_here(), COVERAGE_MOUNTS);
	start(&scene);
	assert_int_equal(coverage_scope_of(scene.coverage), COVERAGE_MOUNTS);
	count = coverage_count(scene.coverage);
	assert_true(count >= 2);
	assert_int_equal(opens_seen(&scene, "/mnt/a"), 1);
	assert_int_equal(opens_seen(&scene, "/proc/self/stat"), 0);

	assert_int_equal(mount("new", "/mnt/new", "tmpfs", 0, NULL), 0);
	make_file("/mnt/new/b");
	assert_int_equal(opens_seen(&scene, "/mnt/new/b"), 0);
	wait_for_change(&scene);
	assert_int_equal(coverage_count(scene.coverage), count + 1);
	assert_int_equal(opens_seen(&scene, "/mnt/new/b"), 1);

	/* what follows takes the number of the one before */
	assert_int_equal(umount("/mnt/new"), 0);
	assert_int_equal(mount("new", "/mnt/new", "tmpfs", 0, NULL), 0);
	make_file("/mnt/new/c");
	wait_for_change(&scene);
	assert_int_equal(opens_seen(&scene, "/mnt/new/c"), 1);

	assert_int_equal(umount("/mnt/new"), 0);
	wait_for_change(&scene);
	assert_int_equal(coverage_count(scene.coverage), count);
	end(&scene);
}

static void extends_into_other_namespaces(void **state)
{
	struct scene scene;
	size_t count;
	int ready[2];
	int go[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	begin(&scene, GUARD_AUDIT);
	start(&scene);
	count = coverage_count(scene.coverage);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 || mount("own", "/mnt", "tmpfs", 0, NULL) < 0 ||
		    close(open("/mnt/hidden", O_CREAT | O_WRONLY, 0755)) < 0 ||
		    write(ready[1], "r", 1) != 1)
			_exit(99);
		while (read(go[0], &byte, 1) == 1) {
			(void)close(open("/mnt/hidden", O_RDONLY));
			(void)!write(ready[1], "d", 1);
		}
		_exit(0);
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)events_of(&scene, 0);
	assert_int_equal(write(go[1], "g", 1), 1);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(events_of(&scene, pid), 0);

	assert_int_equal(coverage_extend(scene.coverage, pid), 0);
	wait_for_change(&scene);
	assert_true(coverage_count(scene.coverage) > count);
	assert_int_equal(write(go[1], "g", 1), 1);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(events_of(&scene, pid), 1);
	/* a process that is gone does no harm */
	(void)kill(pid, SIGKILL);
	(void)status_of(pid);
	assert_int_equal(coverage_extend(scene.coverage, pid), 0);
	wait_for_change(&scene);
	end(&scene);
	(void)close(ready[0]);
	(void)close(go[0]);
	(void)close(go[1]);
}

static void denies(void **state)
{
	struct scene scene;
	struct fanotify_event_metadata event;
	struct fanotify_response response = {.response = FAN_DENY};
	pid_t pid;

	(void)state;
	make_file("/mnt/denied");
	begin(&scene, GUARD_ENFORCE);
	assert_true(coverage_has_exec_events(scene.coverage));
	start(&scene);
	pid = open_by_child(&scene, "/mnt/denied");
	while (read(coverage_fd(scene.coverage), &event, sizeof(event)) < 0)
		assert_int_equal(errno, EAGAIN);
	assert_int_equal(event.pid, pid);
	assert_true(event.mask & FAN_OPEN_PERM);
	response.fd = event.fd;
	assert_int_equal(write(coverage_fd(scene.coverage), &response, sizeof(response)),
			 sizeof(response));
	assert_int_equal(status_of(pid), EPERM);
	(void)close(event.fd);
	/* whoever waits when the group goes is let through */
	pid = open_by_child(&scene, "/mnt/denied");
	end(&scene);
	assert_int_equal(status_of(pid), 0);
}

static void takes_over_a_group(void **state)
{
	struct scene scene;
	struct coverage *heir = NULL;
	struct error error = {0};
	int group;
	int ends[2];

	(void)state;
	make_file("/mnt/inherited");
	begin(&scene, GUARD_AUDIT);
	start(&scene);
	group = dup(coverage_fd(scene.coverage));
	end(&scene);
	assert_int_equal(coverage_new(GUARD_ENFORCE, COVERAGE_MOUNTS, group, &heir, &error),
			 -EINVAL);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(coverage_new(GUARD_AUDIT, COVERAGE_MOUNTS, ends[0], &heir, &error),
			 -EINVAL);
	assert_null(heir);
	(void)close(ends[1]);
	assert_int_equal(loop_new(&scene.loop), 0);
	assert_int_equal(fcntl(group, F_GETFD) & FD_CLOEXEC, 0);
	assert_int_equal(coverage_new(GUARD_AUDIT, COVERAGE_MOUNTS, group, &scene.coverage, &error),
			 0);
	assert_int_equal(fcntl(group, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	/* its marks are still there */
	assert_int_equal(opens_seen(&scene, "/mnt/inherited"), 1);
	end(&scene);
}

static void forgets_files(void **state)
{
	struct scene scene;

	(void)state;
	make_file("/mnt/ignored");
	begin(&scene, GUARD_AUDIT);
	start(&scene);
	assert_int_equal(fanotify_mark(coverage_fd(scene.coverage),
				       FAN_MARK_ADD | FAN_MARK_IGNORED_MASK, FAN_OPEN, AT_FDCWD,
				       "/mnt/ignored"),
			 0);
	assert_int_equal(opens_seen(&scene, "/mnt/ignored"), 0);
	coverage_forget_verdicts(scene.coverage);
	assert_int_equal(opens_seen(&scene, "/mnt/ignored"), 1);
	end(&scene);
}

/* Takes all events there are; returns what they were together. */
static uint64_t mask_of_events(struct scene *scene, pid_t pid)
{
	struct fanotify_event_metadata buffer[64];
	uint64_t mask = 0;
	ssize_t size;

	while ((size = read(coverage_fd(scene->coverage), buffer, sizeof(buffer))) > 0)
		for (struct fanotify_event_metadata *event = buffer; FAN_EVENT_OK(event, size);
		     event = FAN_EVENT_NEXT(event, size)) {
			if (event->pid == pid)
				mask |= event->mask;
			(void)close(event->fd);
		}
	return mask;
}

/* Of device nodes nothing is asked, because the kernel would open them for us. */
static void asks_about_execs_among_devices(void **state)
{
	char program[64];
	struct scene scene;
	pid_t pid;

	(void)state;
	(void)mkdir("/mnt/dev", 0755);
	/* the machine's own, through a mount of ours */
	if (mount("dev", "/mnt/dev", "devtmpfs", 0, NULL) < 0) {
		print_message("skipped: no devtmpfs: %s\n", strerror(errno));
		skip();
	}
	(void)snprintf(program, sizeof(program), "/mnt/dev/rtguard-test-%llx",
		       (unsigned long long)clock_realtime_ns());
	copy_program("/bin/true", program);
	begin(&scene, GUARD_AUDIT);
	start(&scene);
	pid = open_by_child(&scene, "/mnt/dev/null");
	assert_int_equal(status_of(pid), 0);
	assert_int_equal(mask_of_events(&scene, pid), 0);
	pid = open_by_child(&scene, program);
	assert_int_equal(status_of(pid), 0);
	assert_int_equal(mask_of_events(&scene, pid), 0);
	pid = exec_by_child(&scene, program);
	assert_int_equal(status_of(pid), 0);
	assert_true(mask_of_events(&scene, pid) & FAN_OPEN_EXEC);
	end(&scene);
	assert_int_equal(unlink(program), 0);
	(void)umount2("/mnt/dev", MNT_DETACH);
}

/* A FUSE daemon that never answers, and asks to be asked about permissions. */
static void does_not_wait_for_a_daemon(void **state)
{
	char options[128];
	struct scene scene;
	uint64_t began_ns;
	int daemon = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	(void)state;
	if (daemon < 0) {
		print_message("skipped: no /dev/fuse: %s\n", strerror(errno));
		skip();
	}
	(void)mkdir("/mnt/fuse", 0755);
	(void)snprintf(options, sizeof(options),
		       "fd=%d,rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other",
		       daemon);
	assert_int_equal(mount("silent", "/mnt/fuse", "fuse", 0, options), 0);
	begin(&scene, GUARD_AUDIT);
	began_ns = clock_monotonic_ns();
	start(&scene);
	assert_true(coverage_count(scene.coverage) >= 2);
	/* what it serves is not asked about, which is said */
	assert_true(coverage_gaps(scene.coverage) > 0);
	assert_non_null(strstr(coverage_gap(scene.coverage), "a process serves it (FUSE)"));
	/* another mount is guarded all the same */
	(void)mkdir("/mnt/other", 0755);
	assert_int_equal(mount("other", "/mnt/other", "tmpfs", 0, NULL), 0);
	make_file("/mnt/other/a");
	wait_for_change(&scene);
	assert_int_equal(opens_seen(&scene, "/mnt/other/a"), 1);
	end(&scene);
	assert_true(clock_monotonic_ns() - began_ns < NS_PER_S);
	(void)close(daemon);
	(void)umount("/mnt/fuse");
	(void)umount("/mnt/other");
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(follows_mounts),
		cmocka_unit_test(extends_into_other_namespaces),
		cmocka_unit_test(denies),
		cmocka_unit_test(takes_over_a_group),
		cmocka_unit_test(forgets_files),
		cmocka_unit_test(does_not_wait_for_a_daemon),
		cmocka_unit_test(asks_about_execs_among_devices),
	};

	return cmocka_run_group_tests_name("coverage", all, NULL, NULL);
}

int main(void)
{
	return stage_run(tests, 60);
}
