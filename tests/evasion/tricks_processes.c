/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disguises, rights, crowds, and those who were there first. */
#include <err.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evade.h"

static void set_user_id(void)
{
	pid_t pid;

	copy_allowed("evade", "shell");
	if (chmod("shell", 04755))
		err(2, "chmod");
	pid = fork();
	if (!pid) {
		if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
			err(2, "setuid");
		_exit(run("./shell", "become", NULL));
	}
	finish(pid);
}

static void run_as(const char *name)
{
	char *argv[] = {strdup(name), NULL};

	drop("intruder", "evil");
	run_argv("./evil", argv, NULL);
}

static void kernel_thread_name(void)
{
	run_as("[kworker/0:1]");
}

static void kill_command_line(void)
{
	char *argv[] = {strdup("sudo"), strdup("kill"), strdup("-9"), NULL};

	drop("intruder", "evil");
	run_argv("./evil", argv, NULL);
}

static void agents_name(void)
{
	const char *agent = getenv("AGENT");
	char path[64];

	snprintf(path, sizeof(path), "./%.40s", agent && *agent ? agent : "rtguard");
	drop("intruder", path);
	run(path, "enforce", NULL);
}

/* --- before the agent was there */
static void start_waiting(const char *name)
{
	drop(name, "evil");
	start("./evil", "wait", NULL);
}

static void before_dynamic(void)
{
	start_waiting("intruder");
}

static void before_static(void)
{
	start_waiting("intruder-static");
}

static void go(void)
{
	write_text("go", "", 0644);
	for (int i = 0; i < 50 && !succeeded(); i++)
		usleep(20000);
}

static void hold(void (*use)(int fd))
{
	int fd;

	drop("intruder", "evil");
	fd = open("evil", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(2, "evil");
	if (fork())
		return;
	while (access("go", F_OK))
		usleep(20000);
	use(fd);
	_exit(0);
}

static void before_descriptor(void)
{
	hold(execute_fd);
}

static void before_mapping(void)
{
	size_t size;
	uint8_t *library = loot("library.so", &size);
	size_t offset = code_offset(library, size, "raw_trace");
	uint8_t *code;
	int fd;

	drop("library.so", "evil.so");
	fd = open("evil.so", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(2, "evil.so");
	code = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (code == MAP_FAILED)
		err(2, "mmap");
	if (fork())
		return;
	while (access("go", F_OK))
		usleep(20000);
	((long (*)(const char *, const char *))(uintptr_t)(code + offset))(trace(), "unknown code");
	_exit(0);
}

/* --- crowds */
static void storm_of(int (*open_one)(int number))
{
	char name[] = "intruder";
	char *argv[] = {name, NULL};

	for (int i = 0; i < tries() && !succeeded(); i++) {
		int fd = open_one(i);

		if (!fork()) {
			fexecve(fd, argv, environ);
			_exit(127);
		}
		close(fd);
		if (i % 16 == 15)
			while (waitpid(-1, NULL, 0) > 0)
				;
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static int new_file(int number)
{
	char path[32];

	snprintf(path, sizeof(path), "evil%d", number);
	drop("intruder-raw", path);
	return open(path, O_PATH);
}

static int new_memfd(int number)
{
	int fd = memfd_create("evil", 0);

	(void)number;
	if (fd >= 0)
		drop_fd("intruder-raw", fd);
	return fd;
}

static void storm(void)
{
	storm_of(new_file);
}

static void storm_memfd(void)
{
	storm_of(new_memfd);
}

/* An allowed program is looked at; the next process has its number. */
static void reused_pid(void)
{
	for (int i = 0; i < 20; i++) {
		pid_t pid = start("./victim", NULL);
		char last[16];
		int fd = new_memfd(0);

		finish(pid);
		snprintf(last, sizeof(last), "%d", pid - 1);
		set_value("/proc/sys/kernel/ns_last_pid", last);
		execute_fd(fd);
		close(fd);
	}
}

#define MEMFD_LIMIT                                                                                \
	"nothing is opened when a static program in a memfd starts, and it may be done before it " \
	"can be ended"
#define MEMFD_REMEDY  "memfds are never executable (Linux 6.3)"
#define MEMFD_SETTING "vm.memfd_noexec=2"
#define BEFORE_LIMIT  "mapped before the agent ran: only files that are opened are checked"
#define BEFORE_REMEDY "the agent starts before what it guards: by its unit, at boot"

const struct trick tricks_processes[] = {
	{"set-user-id", 15, "a set-user-ID copy of an allowed program", AS_ROOT, 0, set_user_id},
	{"kernel-thread-name", 16, "argv[0] is [kworker/0:1]", AS_BOTH, 0, kernel_thread_name},
	{"kill-command-line", 16, "\"sudo kill -9\" in its arguments", AS_BOTH, 0,
	 kill_command_line},
	{"agents-name", 16, "a second program with the agent's name", AS_BOTH, 0, agents_name},
	{"before-dynamic", 17, "an unknown process from before the agent", AS_BOTH, BEFORE, go,
	 before_dynamic},
	{"before-static", 17, "the same, static", AS_BOTH, BEFORE, go, before_static},
	{"before-descriptor", 17, "an unknown program, opened before the agent ran", AS_BOTH,
	 BEFORE, go, before_descriptor},
	{"before-mapping", 17, "an unknown library, mapped before the agent ran", AS_BOTH, BEFORE,
	 go, before_mapping, .limit = BEFORE_LIMIT, .remedy = BEFORE_REMEDY},
	{"storm", 18, "many short unknown programs", AS_BOTH, 0, storm},
	{"storm-memfd", 18, "many short unknown programs in memfds", AS_BOTH, NEEDS_MACHINE,
	 storm_memfd, .limit = MEMFD_LIMIT, .remedy = MEMFD_REMEDY, .setting = MEMFD_SETTING},
	{"reused-pid", 18, "a memfd in a process with an allowed one's number", AS_ROOT,
	 NEEDS_MACHINE, reused_pid, .limit = MEMFD_LIMIT, .remedy = MEMFD_REMEDY,
	 .setting = MEMFD_SETTING},
	{},
};
