/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backstop_trial METHOD INTRUDER LIFETIME_MS COUNT DIRECTORY: starts COUNT unknown programs one
 * after the other, each of which makes a file after its lifetime, while METHOD (connector, sweep,
 * ps, none) tries to end them first. Prints: method, lifetime, escaped, p50 and p99 of the
 * milliseconds from exec to death of those that did not.
 *
 * Runs among everything else on the machine. Whatever the method, nothing is judged but children of
 * the process that starts the intruders, which is a child of this one.
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "observe/host/process_info.h"
#include "policy_of_files.h"
#include "sweep/image_watch.h"

extern char **environ;

struct trial {
	const char *method;
	const char *intruder;
	const char *lifetime;
	int count;
	const char *directory;
	pid_t spawner;
	struct loop *loop;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int compare(const void *left, const void *right)
{
	const uint64_t *a = left;
	const uint64_t *b = right;

	return (*a > *b) - (*a < *b);
}

static double percentile_ms(const uint64_t *sorted, int count, int percent)
{
	return count ? (double)sorted[(count - 1) * percent / 100] / (double)NS_PER_MS : 0;
}

/* Returns how long it lived after its exec, or 0: it was not ended. */
static uint64_t one(const struct trial *trial, int number)
{
	char program[512];
	char trace[512];
	const char *const arguments[] = {program, "trace", trial->lifetime, trace, NULL};
	uint64_t began_ns;
	int status;
	pid_t pid;

	(void)snprintf(program, sizeof(program), "%s/i%d", trial->directory, number);
	(void)snprintf(trace, sizeof(trace), "%s/t%d", trial->directory, number);
	/* returns when the child has executed the program (vfork) */
	errno = posix_spawn(&pid, program, NULL, NULL, (char **)(uintptr_t)arguments, environ);
	if (errno)
		die(program);
	began_ns = clock_monotonic_ns();
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	return WIFSIGNALED(status) ? clock_monotonic_ns() - began_ns : 0;
}

static void spawn_all(const struct trial *trial)
{
	uint64_t *ended = calloc((size_t)trial->count, sizeof(*ended));
	int escaped = 0;
	int count = 0;

	if (!ended)
		die("calloc");
	srand(1);
	(void)sleep(1); /* whoever ends them is ready */
	for (int i = 0; i < trial->count; i++) {
		char trace[512];
		uint64_t lived_ns;

		(void)usleep((useconds_t)(rand() % 100000)); /* anywhere between two polls */
		lived_ns = one(trial, i);
		(void)snprintf(trace, sizeof(trace), "%s/t%d", trial->directory, i);
		if (access(trace, F_OK) == 0)
			escaped++;
		else
			ended[count++] = lived_ns;
		(void)unlink(trace);
	}
	qsort(ended, (size_t)count, sizeof(*ended), compare);
	printf("%s %s %.1f %.2f %.2f\n", trial->method, trial->lifetime,
	       100.0 * escaped / trial->count, percentile_ms(ended, count, 50),
	       percentile_ms(ended, count, 99));
	(void)fflush(stdout);
	free(ended);
}

static bool is_intruder(void *context, pid_t pid)
{
	const struct trial *trial = context;
	struct process_stat status;

	return process_stat_read(pid, &status) == 0 && status.parent == trial->spawner;
}

static void found(void *context, const struct finding *finding, int fd)
{
	(void)context;
	(void)finding;
	(void)fd;
}

static void uncovered(void *context, pid_t pid, uint64_t device)
{
	(void)context;
	(void)pid;
	(void)device;
}

static void child_ended(void *context, int number)
{
	const struct trial *trial = context;

	(void)number;
	if (waitpid(trial->spawner, NULL, WNOHANG) == trial->spawner)
		loop_stop(trial->loop, 0);
}

static const struct program_policy *policy_of_self(void)
{
	struct profile *profile = profile_new();
	char own[4096] = "";

	if (!profile || readlink("/proc/self/exe", own, sizeof(own) - 1) < 0)
		die("/proc/self/exe");
	(void)know_program(profile, own, true);
	return policy_of(profile);
}

static void watch(struct trial *trial, bool connector)
{
	const struct image_watch_config config = {
		.policy = policy_of_self(),
		.file_size_limit = UINT64_C(1) << 30,
		.without_connector = !connector,
		.concerns = is_intruder,
		.found = found,
		.uncovered = uncovered,
		.context = trial,
	};
	struct image_watch *watching;

	if (image_watch_new(trial->loop, &config, &watching) < 0)
		die("image_watch_new");
	if (connector && image_watch_connector_off(watching)) {
		(void)fprintf(stderr, "no process events: %s\n",
			      image_watch_connector_off(watching));
		(void)kill(trial->spawner, SIGKILL);
		exit(77);
	}
	(void)setpriority(PRIO_PROCESS, 0, -20); /* as the sweeper does */
	if (image_watch_start(watching) < 0)
		die("image_watch_start");
	(void)loop_run(trial->loop);
	image_watch_free(watching);
}

/* What people write: ten times a second, all processes, those that are not known. */
static void poll_with_ps(struct trial *trial)
{
	pid_t pid = fork();

	if (pid == 0) {
		char script[512];

		(void)snprintf(script, sizeof(script),
			       "while sleep 0.1; do ps -eo pid=,ppid=,args= |"
			       " while read -r pid ppid args; do"
			       " [ \"$ppid\" = %d ] && kill -9 \"$pid\"; done; done 2>/dev/null",
			       (int)trial->spawner);
		(void)execl("/bin/sh", "sh", "-c", script, NULL);
		_exit(127);
	}
	if (pid < 0)
		die("fork");
	(void)loop_run(trial->loop);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static void make_intruders(const struct trial *trial)
{
	for (int i = 0; i < trial->count; i++) {
		char path[512];
		char trailer[32];

		(void)snprintf(path, sizeof(path), "%s/i%d", trial->directory, i);
		(void)snprintf(trailer, sizeof(trailer), "%d", i);
		errno = -copy_with_trailer(trial->intruder, path, trailer);
		if (errno)
			die(path);
	}
}

int main(int argc, char **argv)
{
	struct trial trial;

	if (argc != 6) {
		(void)fprintf(stderr, "usage: backstop_trial connector|sweep|ps|none INTRUDER "
				      "LIFETIME_MS COUNT DIRECTORY\n");
		return 2;
	}
	trial = (struct trial){.method = argv[1],
			       .intruder = argv[2],
			       .lifetime = argv[3],
			       .count = atoi(argv[4]),
			       .directory = argv[5]};
	make_intruders(&trial);
	if (loop_new(&trial.loop) < 0 ||
	    loop_add_signal(trial.loop, SIGCHLD, child_ended, &trial, NULL) < 0)
		die("loop");
	trial.spawner = fork();
	if (trial.spawner == 0) {
		spawn_all(&trial);
		_exit(0);
	}
	if (trial.spawner < 0)
		die("fork");
	if (strcmp(trial.method, "connector") == 0 || strcmp(trial.method, "sweep") == 0)
		watch(&trial, trial.method[0] == 'c');
	else if (strcmp(trial.method, "ps") == 0)
		poll_with_ps(&trial);
	else
		(void)loop_run(trial.loop);
	loop_free(trial.loop);
	return 0;
}
