/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "observe/host/process_info.h"
#include "policy_of_files.h"
#include "privilege/channel.h"
#include "process/process_end.h"
#include "stage.h"
#include "sweep/sweeper.h"

#define PATIENCE_NS (5 * NS_PER_S)

/* Without an answer for that long nothing is coming: more than two sweeps. */
#define QUIET_NS (700 * NS_PER_MS)

static const struct program_policy *policy; /* of all tests, made before the first */
static char intruder[PATH_MAX];

struct scene {
	int channel;
	int worker_end; /* the sweeper's, which is its alone to use but in one test */
	pid_t sweeper;
};

static void pause_ms(unsigned int ms)
{
	(void)usleep(ms * 1000);
}

static pid_t run(const char *path, const char *const *arguments)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)execv(path, (char **)(uintptr_t)arguments);
		_exit(127);
	}
	assert_true(pid > 0);
	/* until it runs what it was told to */
	for (int i = 0; i < 1000; i++) {
		char *program = NULL;
		bool there = process_program_path(pid, &program) == 0 &&
			     !strstr(program, "test_sweeper");

		free(program);
		if (there)
			break;
		pause_ms(1);
	}
	return pid;
}

static pid_t run_waiting(const char *path)
{
	const char *const arguments[] = {path, "wait", NULL};

	return run(path, arguments);
}

static void begin_as(struct scene *scene, struct sweeper_config config)
{
	struct sweeper_message message;
	int ends[2];

	assert_int_equal(channel_pair(ends), 0);
	config.findings = ends[1];
	config.policy = policy;
	config.supervisor = getpid();
	if (!config.file_size_limit)
		config.file_size_limit = 1 << 30;
	scene->sweeper = sweeper_start(&config);
	assert_true(scene->sweeper > 0);
	scene->channel = ends[0];
	scene->worker_end = ends[1];
	assert_int_equal(channel_receive(scene->channel, &message, sizeof(message), 1, true, NULL),
			 1);
	assert_int_equal(message.kind, SWEEPER_LAYERS);
	assert_int_equal(message.connector, 0);
	assert_string_equal(message.reason, "needs the initial pid namespace");
}

static void begin(struct scene *scene, bool only_reports)
{
	begin_as(scene, (struct sweeper_config){.only_reports = only_reports});
}

static void end(struct scene *scene)
{
	(void)close(scene->channel);
	(void)close(scene->worker_end);
	(void)kill(scene->sweeper, SIGKILL);
	(void)waitpid(scene->sweeper, NULL, 0);
}

/* The next message of that kind; false when none comes. */
static bool receive(struct scene *scene, enum sweeper_message_kind kind, uint64_t wait_ns,
		    struct sweeper_message *message, int *ret_fd)
{
	uint64_t until_ns = clock_monotonic_ns() + wait_ns;

	while (clock_monotonic_ns() < until_ns) {
		int got = channel_receive(scene->channel, message, sizeof(*message), 1, false,
					  ret_fd);

		if (got == 1 && message->kind == (uint32_t)kind)
			return true;
		if (got != 1)
			pause_ms(5);
	}
	return false;
}

static bool is_ended(pid_t pid, int *ret_signal)
{
	int status;

	for (uint64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
	     clock_monotonic_ns() < until_ns; pause_ms(2)) {
		if (waitpid(pid, &status, WNOHANG) != pid)
			continue;
		*ret_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
		return true;
	}
	return false;
}

#define assert_killed(pid)                                                                         \
	do {                                                                                       \
		int number_ = 0;                                                                   \
		assert_true(is_ended(pid, &number_));                                              \
		assert_int_equal(number_, SIGKILL);                                                \
	} while (0)

static void assert_lives(pid_t pid)
{
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void ends_what_is_unknown(void **state)
{
	struct scene scene;
	struct sweeper_message message;
	const struct finding *finding = &message.finding;
	uint8_t sha256[32];
	pid_t before = run_waiting("/mnt/unknown");
	pid_t known = run_waiting("/mnt/known");
	pid_t after;

	(void)state;
	begin(&scene, false);
	assert_killed(before);
	after = run_waiting("/mnt/unknown");
	assert_killed(after);
	assert_true(receive(&scene, SWEEPER_FINDING, PATIENCE_NS, &message, NULL));
	assert_int_equal(finding->pid, before);
	assert_true(receive(&scene, SWEEPER_FINDING, PATIENCE_NS, &message, NULL));
	assert_true(finding_is_valid(finding));
	assert_int_equal(finding->pid, after);
	assert_int_equal(finding->kind, FINDING_IMAGE_UNKNOWN);
	assert_int_equal(finding->layer, LAYER_SWEEP);
	assert_int_equal(finding->action, ACTION_KILLED);
	assert_string_equal(finding->path, "/mnt/unknown");
	assert_int_equal(sha256_of_file("/mnt/unknown", sha256), 0);
	assert_true(finding->hashed);
	assert_memory_equal(finding->sha256, sha256, sizeof(sha256));
	assert_int_equal(finding->arguments_size, sizeof("/mnt/unknown\0wait"));
	assert_memory_equal(finding->arguments, "/mnt/unknown\0wait", sizeof("/mnt/unknown\0wait"));
	assert_int_equal(finding->user, 0);
	assert_true(finding->since_exec_ns > 0 && finding->since_exec_ns < PATIENCE_NS);
	assert_non_null(strstr(finding->ancestors[0], "test_sweeper"));
	assert_lives(known);
	end(&scene);
}

static void only_reports_in_audit(void **state)
{
	struct scene scene;
	struct sweeper_message message;
	pid_t pid;

	(void)state;
	begin(&scene, true);
	pid = run_waiting("/mnt/unknown");
	assert_true(receive(&scene, SWEEPER_FINDING, PATIENCE_NS, &message, NULL));
	assert_int_equal(message.finding.pid, pid);
	assert_int_equal(message.finding.action, ACTION_REPORTED);
	/* once */
	assert_false(receive(&scene, SWEEPER_FINDING, QUIET_NS, &message, NULL));
	assert_lives(pid);
	end(&scene);
}

static void spares_what_runs(void **state)
{
	struct scene scene;
	struct sweeper_message message;
	pid_t old = run_waiting("/mnt/unknown");
	pid_t young;

	(void)state;
	begin_as(&scene, (struct sweeper_config){.spare_running = true});
	assert_true(receive(&scene, SWEEPER_FINDING, PATIENCE_NS, &message, NULL));
	assert_int_equal(message.finding.pid, old);
	assert_int_equal(message.finding.action, ACTION_REPORTED);
	young = run_waiting("/mnt/unknown");
	assert_killed(young);
	assert_lives(old);
	end(&scene);
}

/* A process that was judged runs something else: its pid and its start stay the same. */
static void sees_a_later_exec(void **state)
{
	const char *const arguments[] = {"/mnt/sh", "-c", "sleep 1; exec /mnt/unknown wait", NULL};
	const char *const pinned[] = {"/mnt/sh", "-c",
				      "sleep 1; exec /mnt/sh -c 'while :; do :; done'", NULL};
	struct scene scene;
	pid_t pid;

	(void)state;
	begin(&scene, false);
	pid = run("/mnt/sh", arguments);
	assert_killed(pid);
	pid = run("/mnt/sh", pinned); /* the same file again */
	assert_killed(pid);
	end(&scene);
}

static void judges_scripts_and_arguments(void **state)
{
	static const char *const cases[][5] = {
		{"/mnt/sh", "/mnt/known.sh"},
		{"/mnt/sh", "-c", "sleep 1; exec /mnt/unknown wait"},
		{"/mnt/sh", "known.sh"},
		{"/mnt/sh", "/mnt/unknown.sh"},
		{"/mnt/sh", "unknown.sh"},
		{"/mnt/sh", "-c", "while :; do sleep 1; done"},
		{"/mnt/sh"},
	};
	static const bool permitted[] = {true, true, true, false, false, false, false};
	struct scene scene;

	(void)state;
	assert_int_equal(chdir("/mnt"), 0);
	begin(&scene, true);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sweeper_message message;
		pid_t pid = run(cases[i][0], cases[i]);
		bool told = receive(&scene, SWEEPER_FINDING, permitted[i] ? QUIET_NS : PATIENCE_NS,
				    &message, NULL);

		if (told != !permitted[i])
			fail_msg("case %zu: %s", i, told ? message.finding.path : "nothing");
		if (told) {
			assert_int_equal(message.finding.kind, FINDING_ARGUMENTS_UNKNOWN);
			assert_int_equal(message.finding.pid, pid);
		}
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		while (receive(&scene, SWEEPER_FINDING, NS_PER_MS, &message, NULL))
			;
	}
	end(&scene);
	assert_int_equal(chdir("/"), 0);
}

static pid_t run_from_memory(const char *source)
{
	const char *const arguments[] = {"innocent", "wait", NULL};
	int memory = memfd_create("x", MFD_CLOEXEC);
	int fd = open(source, O_RDONLY | O_CLOEXEC);
	char link[64];
	char bytes[4096];
	ssize_t got;
	pid_t pid;

	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(memory, bytes, (size_t)got), got);
	(void)close(fd);
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", memory);
	pid = run(link, arguments);
	(void)close(memory);
	return pid;
}

static void sees_programs_of_memory(void **state)
{
	struct scene scene;
	pid_t known = run_from_memory("/mnt/known");
	pid_t unknown = run_from_memory("/mnt/unknown");

	(void)state;
	begin(&scene, false);
	assert_killed(unknown);
	pause_ms(500);
	assert_lives(known);
	end(&scene);
}

/* In memory a store through a mapping leaves the times as they were, once the page was read. */
static void sees_through_unchanged_times(void **state)
{
	struct scene scene;
	struct stat before;
	struct stat after;
	char *bytes;
	pid_t pid;
	int fd;

	(void)state;
	assert_int_equal(copy_with_trailer(intruder, "/mnt/turncoat", "k"), 0);
	assert_int_equal(stat("/mnt/turncoat", &before), 0);
	pause_ms(2700); /* until its times count */
	begin(&scene, false);
	pid = run_waiting("/mnt/turncoat");
	pause_ms(QUIET_NS / NS_PER_MS);
	assert_lives(pid);
	fd = open("/mnt/turncoat", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	bytes = mmap(NULL, (size_t)before.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(bytes != MAP_FAILED);
	assert_int_equal(((volatile char *)bytes)[before.st_size - 1], 'k');
	bytes[before.st_size - 1] = 'v';
	assert_int_equal(munmap(bytes, (size_t)before.st_size), 0);
	(void)close(fd);
	assert_int_equal(stat("/mnt/turncoat", &after), 0);
	if (memcmp(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim)) != 0)
		print_message("this kernel changed the time\n");
	pid = run_waiting("/mnt/turncoat");
	assert_killed(pid);
	end(&scene);
	(void)unlink("/mnt/turncoat");
}

static void ends_stopped_and_headless_ones(void **state)
{
	const char *const stop[] = {"/mnt/unknown", "stop", NULL};
	const char *const leave[] = {"/mnt/unknown", "leave", NULL};
	struct scene scene;
	pid_t stopped = run("/mnt/unknown", stop);
	pid_t headless = run("/mnt/unknown", leave);

	(void)state;
	pause_ms(100);
	begin(&scene, false);
	assert_killed(stopped);
	assert_killed(headless);
	end(&scene);
}

static void ends_all_that_breed(void **state)
{
	const char *const breed[] = {"/mnt/unknown", "breed", "100", "/mnt/offspring", NULL};
	struct scene scene;
	pid_t pid;

	(void)state;
	begin(&scene, false);
	pid = run("/mnt/unknown", breed);
	assert_killed(pid);
	pause_ms(600);
	for (int i = 0; i < 100; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "/mnt/offspring.%d", i);
		assert_int_equal(access(path, F_OK), -1);
	}
	end(&scene);
}

static pid_t run_elsewhere(const char *source)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 || mkdir("/mnt/own", 0755) < 0 ||
		    mount("own", "/mnt/own", "tmpfs", 0, NULL) < 0 ||
		    copy_with_trailer(source, "/mnt/own/program", "") < 0)
			_exit(99);
		(void)execl("/mnt/own/program", "program", "wait", NULL);
		_exit(98);
	}
	return pid;
}

static void tells_of_other_mount_namespaces(void **state)
{
	struct scene scene;
	struct sweeper_message message;
	pid_t pid;

	(void)state;
	begin(&scene, false);
	pid = run_elsewhere("/mnt/known");
	assert_true(receive(&scene, SWEEPER_UNCOVERED, PATIENCE_NS, &message, NULL));
	assert_int_equal(message.pid, pid);
	assert_true(message.device != 0);
	assert_false(receive(&scene, SWEEPER_FINDING, QUIET_NS, &message, NULL));
	assert_lives(pid);
	(void)rmdir("/mnt/own");
	pid = run_elsewhere("/mnt/unknown");
	assert_killed(pid);
	(void)rmdir("/mnt/own");
	end(&scene);
}

static void refuses_large_files(void **state)
{
	struct scene scene;
	struct sweeper_message message;
	pid_t pid;

	(void)state;
	assert_int_equal(copy_with_trailer(intruder, "/mnt/large", "l"), 0);
	assert_int_equal(truncate("/mnt/large", INT64_C(10) << 30), 0);
	begin(&scene, false);
	pid = run_waiting("/mnt/large");
	assert_killed(pid);
	assert_true(receive(&scene, SWEEPER_FINDING, PATIENCE_NS, &message, NULL));
	assert_int_equal(message.finding.kind, FINDING_FILE_TOO_LARGE);
	assert_false(message.finding.hashed);
	assert_int_equal(message.finding.size, INT64_C(10) << 30);
	end(&scene);
}

static void hands_the_file_over(void **state)
{
	struct scene scene;
	struct sweeper_message message;
	struct stat passed;
	struct stat status;
	int fd = -1;
	pid_t pid;

	(void)state;
	begin_as(&scene, (struct sweeper_config){.pass_files = true});
	pid = run_waiting("/mnt/unknown");
	assert_killed(pid);
	assert_true(receive(&scene, SWEEPER_FINDING, PATIENCE_NS, &message, &fd));
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &passed), 0);
	assert_int_equal(stat("/mnt/unknown", &status), 0);
	assert_int_equal(passed.st_ino, status.st_ino);
	assert_int_equal(pread(fd, &message, 4, 0), 4);
	(void)close(fd);
	end(&scene);
}

/* Nobody takes its messages, and the channel is full: it works on, and says later what was lost. */
static void never_waits_for_the_supervisor(void **state)
{
	static const struct sweeper_message filler = {.kind = SWEEPER_UNCOVERED};
	struct scene scene;
	struct sweeper_message message;
	unsigned int told = 0;
	unsigned int lost = 0;
	pid_t pids[20];
	pid_t pid;

	(void)state;
	begin(&scene, false);
	while (channel_offer(scene.worker_end, &filler, sizeof(filler), 1, -1) == 0)
		;
	for (size_t i = 0; i < 20; i++)
		pids[i] = run_waiting("/mnt/unknown");
	for (size_t i = 0; i < 20; i++)
		assert_killed(pids[i]);
	while (receive(&scene, SWEEPER_UNCOVERED, QUIET_NS, &message, NULL))
		;
	pid = run_waiting("/mnt/unknown");
	assert_killed(pid);
	while (receive(&scene, SWEEPER_FINDING, QUIET_NS, &message, NULL)) {
		told++;
		lost += message.lost;
	}
	assert_int_equal(told, 1);
	assert_int_equal(lost, 20);
	end(&scene);
}

static bool is_running(pid_t pid)
{
	char line[512];
	const char *rest;

	if (process_file_read(pid, "stat", line, sizeof(line)) <= 0)
		return false;
	rest = strrchr(line, ')');
	return rest && rest[2] != 'Z' && rest[2] != 'X';
}

static bool may_spare_from_memory_killer(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

		_exit(write(fd, "-1000", 5) != 5);
	}
	(void)waitpid(pid, &status, 0);
	return status == 0;
}

static void is_nobodys_but_its_supervisors(void **state)
{
	int ends[2];
	pid_t sweeper = 0;
	pid_t supervisor;
	char text[64];
	DIR *directory;
	int descriptors = 0;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	supervisor = fork();
	if (supervisor == 0) {
		struct scene scene;

		begin(&scene, false);
		(void)!write(ends[1], &scene.sweeper, sizeof(scene.sweeper));
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ends[0], &sweeper, sizeof(sweeper)), sizeof(sweeper));
	assert_true(process_file_read(sweeper, "oom_score_adj", text, sizeof(text)) > 0);
	if (may_spare_from_memory_killer())
		assert_string_equal(text, "-1000\n");
	else
		print_message("not tested without CAP_SYS_RESOURCE: oom_score_adj\n");
	assert_true(process_file_read(sweeper, "comm", text, sizeof(text)) > 0);
	assert_string_equal(text, "rtguard-sweeper\n");
	(void)snprintf(text, sizeof(text), "/proc/%d/fd", (int)sweeper);
	directory = opendir(text);
	assert_non_null(directory);
	for (struct dirent *entry; (entry = readdir(directory));) {
		char target[256] = "";

		if (readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1) < 0)
			continue;
		descriptors++;
		assert_true(atoi(entry->d_name) <= STDERR_FILENO || !strstr(target, "pipe:"));
	}
	(void)closedir(directory);
	assert_true(descriptors >= 4);
	assert_int_equal(kill(supervisor, SIGKILL), 0);
	(void)waitpid(supervisor, NULL, 0);
	for (int i = 0; i < 1000 && is_running(sweeper); i++)
		pause_ms(1);
	assert_false(is_running(sweeper));
	(void)close(ends[0]);
	(void)close(ends[1]);
}

struct heard {
	struct finding findings[8];
	size_t count;
};

static void hear(void *context, const struct finding *finding)
{
	struct heard *heard = context;

	assert_true(heard->count < 8);
	heard->findings[heard->count++] = *finding;
}

static void previews(void **state)
{
	pid_t pids[4];
	struct heard heard = {0};
	struct error error = {0};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		pids[i] = run_waiting(i == 3 ? "/mnt/other" : "/mnt/unknown");
	assert_int_equal(sweeper_preview(policy, 1 << 30, hear, &heard, &error), 0);
	assert_int_equal(heard.count, 2);
	for (size_t i = 0; i < heard.count; i++) {
		bool other = strcmp(heard.findings[i].path, "/mnt/other") == 0;

		assert_int_equal(heard.findings[i].repeats, other ? 0 : 2);
		assert_int_equal(heard.findings[i].action, ACTION_REPORTED);
	}
	for (size_t i = 0; i < 4; i++)
		assert_lives(pids[i]);
}

/* The pid is somebody else's by the time it would be ended, or it runs something else. */
static void never_ends_another(void **state)
{
	struct process_image image;
	struct process_image other;
	pid_t pid = run_waiting("/mnt/unknown");
	pid_t known = run_waiting("/mnt/known");
	int place;

	(void)state;
	assert_int_equal(process_image_look(pid, &image, &place), 0);
	(void)close(place);
	other = image;
	other.started_ns -= NS_PER_S / 100;
	assert_int_equal(process_end(NULL, &other), -ESRCH);
	other = image;
	other.file.inode++;
	assert_int_equal(process_end(NULL, &other), -ESRCH);
	other = image;
	other.file.device++;
	assert_int_equal(process_end(NULL, &other), -ESRCH);
	other = image;
	other.pid = known;
	assert_int_equal(process_end(NULL, &other), -ESRCH);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	assert_int_equal(waitpid(known, NULL, WNOHANG), 0);
	assert_int_equal(process_end(NULL, &image), 0);
	assert_killed(pid);
	assert_int_equal(process_end(NULL, &image), -ESRCH);
	assert_lives(known);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0755);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
}

static int prepare(void **state)
{
	struct profile *profile = profile_new();
	struct profile_program *shell;
	struct string_list *vector;
	char own[4096] = "";

	int ends[2];

	(void)state;
	/* shells wait for what never comes */
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(copy_with_trailer(intruder, "/mnt/known", "k"), 0);
	assert_int_equal(copy_with_trailer(intruder, "/mnt/unknown", "u"), 0);
	assert_int_equal(copy_with_trailer(intruder, "/mnt/other", "o"), 0);
	assert_int_equal(copy_with_trailer("/bin/sh", "/mnt/sh", ""), 0);
	write_text("/mnt/known.sh", "while :; do sleep 1; done\n");
	write_text("/mnt/unknown.sh", "while :; do sleep 1; done # by others\n");
	assert_true(readlink("/proc/self/exe", own, sizeof(own) - 1) > 0);
	(void)know_program(profile, own, true);
	(void)know_program(profile, "/mnt/known", true);
	(void)know_program(profile, "/bin/sleep", true);
	shell = know_program(profile, "/mnt/sh", false);
	vector = program_add_arguments(shell);
	assert_int_equal(string_list_add(vector, "/mnt/known.sh"), 0);
	vector = program_add_arguments(shell);
	assert_int_equal(string_list_add(vector, "-c"), 0);
	assert_int_equal(string_list_add(vector, "sleep 1; exec /mnt/unknown wait"), 0);
	vector = program_add_arguments(shell);
	assert_int_equal(string_list_add(vector, "-c"), 0);
	assert_int_equal(string_list_add(vector, "sleep 1; exec /mnt/sh -c 'while :; do :; done'"),
			 0);
	know_script(profile, "/mnt/known.sh", "/mnt/sh");
	policy = policy_of(profile);
	assert_non_null(policy);
	profile_free(profile);
	return 0;
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(ends_what_is_unknown),
		cmocka_unit_test(only_reports_in_audit),
		cmocka_unit_test(spares_what_runs),
		cmocka_unit_test(sees_a_later_exec),
		cmocka_unit_test(judges_scripts_and_arguments),
		cmocka_unit_test(sees_programs_of_memory),
		cmocka_unit_test(sees_through_unchanged_times),
		cmocka_unit_test(ends_stopped_and_headless_ones),
		cmocka_unit_test(ends_all_that_breed),
		cmocka_unit_test(tells_of_other_mount_namespaces),
		cmocka_unit_test(refuses_large_files),
		cmocka_unit_test(hands_the_file_over),
		cmocka_unit_test(never_waits_for_the_supervisor),
		cmocka_unit_test(is_nobodys_but_its_supervisors),
		cmocka_unit_test(previews),
		cmocka_unit_test(never_ends_another),
	};

	return cmocka_run_group_tests_name("sweeper", all, prepare, NULL);
}

int main(int argc, char **argv)
{
	if (argc != 2 || !realpath(argv[1], intruder))
		return 99;
	return stage_run(tests, 110);
}
