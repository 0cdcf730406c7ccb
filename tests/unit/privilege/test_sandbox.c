/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "privilege/channel.h"
#include "privilege/sandbox.h"
#include "privilege/system_calls.h"
#include "privilege/worker.h"

/* Each returns 0 when the deed was done: what must not be. */
static int open_passwd(void)
{
	return open("/etc/passwd", O_RDONLY) < 0;
}

static int list_root(void)
{
	return open("/", O_RDONLY | O_DIRECTORY) < 0;
}

static int make_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0;
}

static int run_shell(void)
{
	char *const arguments[] = {(char *)(uintptr_t) "/bin/true", NULL};

	(void)execv(arguments[0], arguments);
	return 1;
}

static int signal_supervisor(void)
{
	return kill(getppid(), 0) < 0;
}

static int fork_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0;
}

static int trace_supervisor(void)
{
	return syscall(SYS_ptrace, 16 /* PTRACE_ATTACH */, getppid(), 0, 0) < 0;
}

static int write_elsewhere(void)
{
	return write(STDOUT_FILENO, "x", 1) != 1;
}

/* As a capture's socket would be: its number is above the channel's. */
static int write_beyond(void)
{
	return write(63, "x", 1) != 1;
}

static int map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED;
}

static int change_interface(void)
{
	struct ifreq request = {.ifr_name = "lo"};

	return ioctl(STDIN_FILENO, SIOCSIFFLAGS, &request) < 0;
}

static const struct deed {
	const char *name;
	int (*attempt)(void);
	bool by_filter_only; /* nothing but the system call filter forbids it */
	bool by_root_only;   /* with the filter off, only what root sets up forbids it */
} deeds[] = {
	{"open a file", open_passwd, false, false},
	{"open a directory", list_root, false, true},
	{"make a socket", make_socket, true, true},
	{"run a program", run_shell, false, false},
	{"signal the supervisor", signal_supervisor, false, true},
	{"fork", fork_process, false, true},
	{"trace the supervisor", trace_supervisor, false, true},
	{"write to another descriptor than the channel", write_elsewhere, true, true},
	{"write to a descriptor above the channel", write_beyond, true, true},
	{"map memory as code", map_code, true, true},
	{"change an interface", change_interface, true, true},
};

static int attempt_deed(void *context, int channel)
{
	const struct deed *deed = context;

	(void)channel;
	return deed->attempt() == 0 ? 66 : 0;
}

static void can_do_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(deeds); i++) {
		struct deed deed = deeds[i];
		const struct worker_config config = {
			.name = "doer", .run = attempt_deed, .context = &deed};
		char text[WORKER_END_TEXT_SIZE];
		struct worker *worker;
		struct error error;
		char byte;

		if (!system_calls_are_confined() && deed.by_filter_only)
			continue;
		if (!system_calls_are_confined() && deed.by_root_only && geteuid() != 0)
			continue;
		if (worker_start(&config, &worker, &error) < 0)
			fail_msg("%s", error.message);
		assert_int_equal(channel_receive(worker_channel(worker), &byte, 1, 1, true, NULL),
				 0);
		worker_end(worker, 5000, text);
		if (system_calls_are_confined() ? !strstr(text, "killed by signal 31")
						: strcmp(text, "ended") != 0)
			fail_msg("%s: %s", deed.name, text);
	}
	if (!system_calls_are_confined())
		print_message("system calls are not filtered in this build: the deeds that only "
			      "the filter forbids were left out\n");
}

/* What it must still be able to do. */
static int use_memory(void *context, int channel)
{
	uint64_t sum = 0;

	(void)context;
	for (size_t size = 16; size <= 4U << 20; size *= 4) {
		unsigned char *bytes = malloc(size);
		unsigned char *moved = bytes ? realloc(bytes, size * 2) : NULL;

		if (!moved)
			return 1;
		memset(moved, 1, size * 2);
		sum += moved[size];
		free(moved);
	}
	return channel_write(channel, &sum, sizeof(sum), 1) < 0;
}

static void can_compute_and_answer(void **state)
{
	const struct worker_config config = {.name = "worker", .run = use_memory};
	char text[WORKER_END_TEXT_SIZE];
	struct worker *worker;
	struct error error;
	uint64_t sum = 0;

	(void)state;
	if (worker_start(&config, &worker, &error) < 0)
		fail_msg("%s", error.message);
	assert_int_equal(channel_receive(worker_channel(worker), &sum, sizeof(sum), 1, true, NULL),
			 1);
	assert_int_equal(sum, 10);
	worker_end(worker, 5000, text);
	assert_string_equal(text, "ended");
}

static int wait_for_close(void *context, int channel)
{
	char byte;

	(void)context;
	return channel_receive(channel, &byte, 1, 1, true, NULL);
}

/* The value of one line of /proc/PID/status. */
static void status_line(pid_t pid, const char *key, char *value, size_t size)
{
	_cleanup_(fclosep) FILE *file = NULL;
	char path[64];
	char line[256];

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, strlen(key)) != 0 || line[strlen(key)] != ':')
			continue;
		(void)snprintf(value, size, "%s", line + strlen(key) + 2);
		value[strcspn(value, "\n")] = '\0';
		return;
	}
	fail_msg("no %s in %s", key, path);
}

static void assert_status(pid_t pid, const char *key, const char *expected)
{
	char value[256];

	status_line(pid, key, value, sizeof(value));
	if (strcmp(value, expected) != 0)
		fail_msg("%s is '%s', not '%s'", key, value, expected);
}

static struct worker *start_waiting(void)
{
	const struct worker_config config = {.name = "waiter", .run = wait_for_close};
	struct worker *worker = NULL;
	struct error error;

	if (worker_start(&config, &worker, &error) < 0)
		fail_msg("%s", error.message);
	return worker;
}

static void has_no_rights(void **state)
{
	struct worker *worker = start_waiting();
	pid_t pid = worker_pid(worker);

	(void)state;
	assert_status(pid, "CapInh", "0000000000000000");
	assert_status(pid, "CapPrm", "0000000000000000");
	assert_status(pid, "CapEff", "0000000000000000");
	assert_status(pid, "CapAmb", "0000000000000000");
	assert_status(pid, "NoNewPrivs", "1");
	assert_status(pid, "Seccomp", system_calls_are_confined() ? "2" : "0");
	assert_status(pid, "SigBlk", "0000000000000000");
	worker_end(worker, 0, NULL);
}

static void is_nobody_in_nowhere(void **state)
{
	static const gid_t groups[] = {4, 24};
	struct worker *worker;
	char expected[64];
	char root[256] = "";
	char path[64];
	uid_t user;
	gid_t group;
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		print_message("needs root: a worker's own user and root directory\n");
		skip();
	}
	assert_int_equal(sandbox_user(&user, &group), 0);
	assert_int_not_equal(user, 0);
	assert_int_equal(setgroups(array_length(groups), groups), 0);
	worker = start_waiting();
	pid = worker_pid(worker);
	(void)snprintf(expected, sizeof(expected), "%u\t%u\t%u\t%u", user, user, user, user);
	assert_status(pid, "Uid", expected);
	(void)snprintf(expected, sizeof(expected), "%u\t%u\t%u\t%u", group, group, group, group);
	assert_status(pid, "Gid", expected);
	assert_status(pid, "Groups", " ");
	assert_status(pid, "CapBnd", "0000000000000000");
	(void)snprintf(path, sizeof(path), "/proc/%d/root", pid);
	assert_true(readlink(path, root, sizeof(root) - 1) > 0);
	assert_non_null(strstr(root, "rtguard-root-"));
	assert_non_null(strstr(root, " (deleted)"));
	worker_end(worker, 0, NULL);
}

static void limit_of(pid_t pid, const char *name, char value[32])
{
	_cleanup_(fclosep) FILE *file = NULL;
	char path[64];
	char line[256];

	(void)snprintf(path, sizeof(path), "/proc/%d/limits", pid);
	file = fopen(path, "re");
	assert_non_null(file);
	value[0] = '\0';
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, strlen(name)) == 0)
			(void)sscanf(line + strlen(name), "%31s", value);
	}
}

static void is_limited(void **state)
{
	static const struct {
		const char *name;
		const char *value;
	} limits[] = {
		{"Max open files", "64"},
		{"Max file size", "0"},
		{"Max core file size", "0"},
		{"Max processes", "0"},
	};
	struct worker *worker = start_waiting();
	char value[32];

	(void)state;
	for (size_t i = 0; i < array_length(limits); i++) {
		limit_of(worker_pid(worker), limits[i].name, value);
		if (strcmp(value, limits[i].value) != 0)
			fail_msg("%s: %s", limits[i].name, value);
	}
	worker_end(worker, 0, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(can_do_nothing_else), cmocka_unit_test(can_compute_and_answer),
		cmocka_unit_test(has_no_rights),       cmocka_unit_test(is_nobody_in_nowhere),
		cmocka_unit_test(is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
