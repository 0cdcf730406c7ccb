/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backstop INTRUDER: what cannot be tried on a machine that others use, in a virtual one: the
 * sweeper with the process connector over the whole system, and marks on superblocks. Every program
 * below /usr is known, and this one; copies of INTRUDER with other trailers are not.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "guard/coverage.h"
#include "observe/host/process_info.h"
#include "policy_of_files.h"
#include "privilege/channel.h"
#include "sweep/sweeper.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			printf("%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno);   \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

#define UNKNOWN "/root/unknown"

static struct profile *profile; /* nftw(3) takes no context */

static int know_file(const char *path, const struct stat *status, int type, struct FTW *place)
{
	char magic[4] = "";
	int fd;

	(void)place;
	if (type != FTW_F || !(status->st_mode & 0111))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (read(fd, magic, sizeof(magic)) == sizeof(magic) && memcmp(magic, "\177ELF", 4) == 0)
		(void)know_program(profile, path, true);
	(void)close(fd);
	return 0;
}

static pid_t start(const char *path, const char *const *arguments)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)execv(path, (char **)(uintptr_t)arguments);
		_exit(127);
	}
	CHECK(pid > 0);
	return pid;
}

static int signal_of(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* All messages until nothing comes for 300 ms; counts findings, keeps the last. */
static unsigned int hear(int channel, struct finding *last)
{
	struct sweeper_message message;
	unsigned int count = 0;

	for (uint64_t until_ns = clock_monotonic_ns() + 300 * NS_PER_MS;
	     clock_monotonic_ns() < until_ns;) {
		if (channel_receive(channel, &message, sizeof(message), 1, false, NULL) != 1) {
			(void)usleep(2000);
			continue;
		}
		until_ns = clock_monotonic_ns() + 300 * NS_PER_MS;
		if (message.kind != SWEEPER_FINDING)
			continue;
		CHECK(finding_is_valid(&message.finding));
		*last = message.finding;
		count += 1 + message.lost;
	}
	return count;
}

static int count_images(const char *path)
{
	char command[300];
	char *program;
	int count = 0;

	for (pid_t pid = 2; pid < 32768; pid++) {
		(void)snprintf(command, sizeof(command), "/proc/%d", (int)pid);
		if (access(command, F_OK) < 0 || process_program_path(pid, &program) < 0)
			continue;
		count += strcmp(program, path) == 0;
		free(program);
	}
	return count;
}

static void ends_each(int channel)
{
	const char *const arguments[] = {UNKNOWN, "trace", "2000", "/root/trace", NULL};
	struct finding finding;
	uint64_t longest_ns = 0;

	for (int i = 0; i < 10; i++) {
		pid_t pid = start(UNKNOWN, arguments);

		CHECK(signal_of(pid) == SIGKILL);
		CHECK(hear(channel, &finding) == 1);
		CHECK(finding.pid == pid);
		CHECK(finding.layer == LAYER_CONNECTOR);
		CHECK(finding.action == ACTION_KILLED);
		CHECK(finding.kind == FINDING_IMAGE_UNKNOWN);
		CHECK(strcmp(finding.path, UNKNOWN) == 0);
		if (finding.since_exec_ns > longest_ns)
			longest_ns = finding.since_exec_ns;
	}
	CHECK(access("/root/trace", F_OK) < 0);
	printf("ended within %.1f ms of the exec\n", (double)longest_ns / (double)NS_PER_MS);
}

/* Forks are no execs: whoever runs on after the program that was executed has ended is met all the
 * same. */
static void ends_what_forks(int channel)
{
	const char *const chain[] = {UNKNOWN, "chain", "300", "/root/chain", NULL};
	const char *const breed[] = {UNKNOWN, "breed", "50", "/root/breed", NULL};
	struct finding finding;
	pid_t pid = start(UNKNOWN, chain);

	(void)signal_of(pid);
	(void)hear(channel, &finding);
	CHECK(count_images(UNKNOWN) == 0);
	printf("a chain of 300 forks: %s\n",
	       access("/root/chain", F_OK) < 0 ? "ended on its way" : "ended at its end");
	pid = start(UNKNOWN, breed);
	CHECK(signal_of(pid) == SIGKILL);
	(void)hear(channel, &finding);
	CHECK(count_images(UNKNOWN) == 0);
}

/* It sleeps: nobody wakes up. */
static void is_quiet(pid_t sweeper)
{
	char before[2048];
	char after[2048];
	const char *count;

	(void)sleep(1);
	CHECK(process_file_read(sweeper, "status", before, sizeof(before)) > 0);
	(void)sleep(3);
	CHECK(process_file_read(sweeper, "status", after, sizeof(after)) > 0);
	count = strstr(after, "\nvoluntary_ctxt_switches:");
	CHECK(count && strstr(before, "\nvoluntary_ctxt_switches:"));
	printf("woken up %ld times in 3 s\n",
	       strtol(count + 26, NULL, 10) -
		       strtol(strstr(before, "\nvoluntary_ctxt_switches:") + 26, NULL, 10));
}

/* More events than the socket holds, while it does not read. */
static void sees_after_losses(int channel, pid_t sweeper)
{
	const char *const arguments[] = {UNKNOWN, "wait", NULL};
	struct finding finding;
	pid_t pid;

	CHECK(kill(sweeper, SIGSTOP) == 0);
	for (int i = 0; i < 6000; i++) {
		pid = vfork();
		if (pid == 0)
			_exit(0);
		(void)waitpid(pid, NULL, 0);
	}
	pid = start(UNKNOWN, arguments);
	(void)usleep(100000);
	CHECK(kill(sweeper, SIGCONT) == 0);
	CHECK(signal_of(pid) == SIGKILL);
	CHECK(hear(channel, &finding) == 1);
	CHECK(finding.pid == pid);
	printf("after lost events: ended by the %s\n", finding_layer_name(finding.layer));
	CHECK(finding.layer == LAYER_SWEEP);
}

static void try_sweeper(const struct program_policy *policy)
{
	struct sweeper_config config = {.only_reports = false,
					.policy = policy,
					.supervisor = getpid(),
					.file_size_limit = UINT64_C(1) << 30};
	struct sweeper_message message;
	struct finding finding;
	int ends[2];
	pid_t sweeper;

	CHECK(channel_pair(ends) == 0);
	config.findings = ends[1];
	sweeper = sweeper_start(&config);
	CHECK(sweeper > 0);
	CHECK(channel_receive(ends[0], &message, sizeof(message), 1, true, NULL) == 1);
	CHECK(message.kind == SWEEPER_LAYERS);
	CHECK(message.connector == 1);
	if (hear(ends[0], &finding)) {
		printf("not known: %s\n", finding.path);
		exit(1);
	}
	ends_each(ends[0]);
	ends_what_forks(ends[0]);
	is_quiet(sweeper);
	sees_after_losses(ends[0], sweeper);
	CHECK(kill(sweeper, SIGKILL) == 0);
	(void)signal_of(sweeper);
}

/* ---- superblocks ---- */

/* Denies files of that size and nothing else: answers as a guard would. */
static void answer(void *context, int fd, uint32_t ready)
{
	struct fanotify_event_metadata buffer[32];
	ssize_t size = read(fd, buffer, sizeof(buffer));

	(void)context;
	(void)ready;
	for (struct fanotify_event_metadata *event = buffer; FAN_EVENT_OK(event, size);
	     event = FAN_EVENT_NEXT(event, size)) {
		struct fanotify_response response = {.fd = event->fd, .response = FAN_ALLOW};
		struct stat status;

		if (fstat(event->fd, &status) == 0 && status.st_size == 4711)
			response.response = FAN_DENY;
		CHECK(write(fd, &response, sizeof(response)) == sizeof(response));
		(void)close(event->fd);
	}
}

static void make_denied(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);

	CHECK(fd >= 0);
	CHECK(ftruncate(fd, 4711) == 0);
	(void)close(fd);
}

static int open_result(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

/* A process that neither answers nor holds the group. */
static void play(int group)
{
	(void)close(group);
	(void)usleep(300000);
	CHECK(open_result("/root/denied") == EPERM);
	CHECK(open_result("/etc/passwd") == 0);
	/* another mount namespace, a bind mount in it: the same superblock */
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("/root", "/mnt", NULL, MS_BIND, NULL) == 0);
	CHECK(open_result("/mnt/denied") == EPERM);
	/* a filesystem that only this namespace has: not yet */
	CHECK(mount("own", "/srv", "tmpfs", 0, NULL) == 0);
	make_denied("/srv/denied");
	CHECK(open_result("/srv/denied") == 0);
	(void)raise(SIGSTOP); /* now it is told */
	CHECK(open_result("/srv/denied") == EPERM);
	exit(0);
}

struct extension {
	struct coverage *coverage;
	struct loop *loop;
	pid_t player;
	int status;
};

static void watch_player(void *context)
{
	struct extension *extension = context;
	int status;

	if (waitpid(extension->player, &status, WNOHANG | WUNTRACED) != extension->player)
		return;
	if (!WIFSTOPPED(status)) {
		extension->status = status;
		loop_stop(extension->loop, 0);
		return;
	}
	CHECK(coverage_extend(extension->coverage, extension->player) == 0);
}

static void covered_more(void *context)
{
	const struct extension *extension = context;

	(void)kill(extension->player, SIGCONT);
}

static void try_superblocks(void)
{
	struct extension extension = {.status = -1};
	struct error error = {0};

	make_denied("/root/denied");
	CHECK(coverage_scope_here() == COVERAGE_FILESYSTEMS);
	CHECK(loop_new(&extension.loop) == 0);
	CHECK(coverage_new(GUARD_ENFORCE, COVERAGE_FILESYSTEMS, -1, &extension.coverage, &error) ==
	      0);
	CHECK(coverage_scope_of(extension.coverage) == COVERAGE_FILESYSTEMS);
	CHECK(coverage_has_exec_events(extension.coverage));
	CHECK(loop_add_fd(extension.loop, coverage_fd(extension.coverage), EPOLLIN, answer, NULL,
			  NULL) == 0);
	CHECK(loop_add_timer(extension.loop, 20 * NS_PER_MS, watch_player, &extension, NULL) == 0);
	(void)fflush(stdout);
	extension.player = fork();
	if (extension.player == 0)
		play(coverage_fd(extension.coverage));
	if (coverage_start(extension.coverage, extension.loop, &error) < 0) {
		printf("%s\n", error.message);
		exit(1);
	}
	coverage_on_change(extension.coverage, covered_more, &extension);
	CHECK(loop_run(extension.loop) == 0);
	printf("filesystems covered: %zu, gaps: %zu %s\n", coverage_count(extension.coverage),
	       coverage_gaps(extension.coverage), coverage_gap(extension.coverage));
	CHECK(extension.status == 0);
	coverage_free(extension.coverage);
	loop_free(extension.loop);
	CHECK(open_result("/root/denied") == 0);
}

int main(int argc, char **argv)
{
	char own[4096] = "";

	(void)alarm(100);
	CHECK(argc == 2);
	profile = profile_new();
	CHECK(profile);
	CHECK(nftw("/usr", know_file, 16, FTW_PHYS) == 0);
	CHECK(readlink("/proc/self/exe", own, sizeof(own) - 1) > 0);
	(void)know_program(profile, own, true);
	CHECK(copy_with_trailer(argv[1], UNKNOWN, "u") == 0);
	try_sweeper(policy_of(profile));
	try_superblocks();
	printf("fine\n");
	return 0;
}
