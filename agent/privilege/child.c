/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "privilege/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"

#define PAUSE_US 1000

void child_reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int close_range_of(unsigned int first, unsigned int last)
{
	struct rlimit limit;

	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return 0;
	if (errno != ENOSYS)
		return -errno;
	/* Before Linux 5.9. */
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	for (rlim_t fd = first; fd <= last && fd < limit.rlim_max; fd++)
		(void)close((int)fd);
	return 0;
}

int child_close_others(int keep)
{
	int result = close_range_of(STDERR_FILENO + 1, (unsigned int)keep - 1);

	return result < 0 ? result : close_range_of((unsigned int)keep + 1, ~0U);
}

int child_die_with(pid_t supervisor)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	return getppid() == supervisor ? 0 : -ESRCH;
}

void child_spare_from_memory_killer(void)
{
	static const char least[] = "-1000"; /* linux/oom.h: OOM_SCORE_ADJ_MIN */
	_cleanup_(closep) int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)write_all(fd, least, strlen(least));
}

pid_t child_fork(int keep)
{
	pid_t supervisor = getpid();
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid > 0)
		return pid;
	child_reset_signals();
	if (child_close_others(keep) < 0 || child_die_with(supervisor) < 0)
		_exit(1);
	return 0;
}

bool child_has_ended(pid_t pid)
{
	_cleanup_(closep) int process = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ended = {.fd = process, .events = POLLIN};

	return process >= 0 && poll(&ended, 1, 0) == 1;
}

bool child_reap(pid_t pid, unsigned int limit_ms)
{
	uint64_t until_ns = clock_monotonic_ns() + limit_ms * NS_PER_MS;

	while (waitpid(pid, NULL, WNOHANG) == 0 && !child_has_ended(pid)) {
		if (clock_monotonic_ns() >= until_ns)
			return false;
		(void)usleep(PAUSE_US);
	}
	(void)waitpid(pid, NULL, WNOHANG);
	return true;
}
