/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stage.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int status_of(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 99;
	if (WIFSIGNALED(status)) {
		(void)fprintf(stderr, "ended by signal %d\n", WTERMSIG(status));
		return 99;
	}
	return WEXITSTATUS(status);
}

/* Process 1 of the namespace: when it ends, all others do. */
static int first(int (*tests)(void), unsigned int timeout_s)
{
	pid_t pid;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", 0, NULL) < 0 ||
	    mount("stage", "/mnt", "tmpfs", 0, NULL) < 0) {
		perror("mount");
		return 99;
	}
	pid = fork();
	if (pid == 0) {
		(void)alarm(timeout_s);
		_exit(tests());
	}
	return pid < 0 ? 99 : status_of(pid);
}

int stage_run(int (*tests)(void), unsigned int timeout_s)
{
	pid_t pid;

	if (geteuid() != 0 || unshare(CLONE_NEWNS | CLONE_NEWPID) < 0) {
		(void)fprintf(stderr, "skipped: namespaces need root\n");
		return 77;
	}
	pid = fork();
	if (pid == 0)
		_exit(first(tests, timeout_s));
	return pid < 0 ? 99 : status_of(pid);
}
