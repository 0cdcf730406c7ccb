/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/update_command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

static const int interrupts[] = {SIGINT, SIGQUIT};

struct handlers {
	struct sigaction of[array_length(interrupts)];
};

static void ignore_interrupts(struct handlers *before)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	for (size_t i = 0; i < array_length(interrupts); i++)
		(void)sigaction(interrupts[i], &ignore, &before->of[i]);
}

static void restore_interrupts(const struct handlers *before)
{
	for (size_t i = 0; i < array_length(interrupts); i++)
		(void)sigaction(interrupts[i], &before->of[i], NULL);
}

/* In the child; the pipe closes with a successful exec and else brings its error. */
static void __attribute__((noreturn))
start(char *const *command, bool output_to_stderr, const struct handlers *before, int failure)
{
	int code;

	restore_interrupts(before);
	if (!output_to_stderr || dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
		(void)execvp(command[0], command);
	code = errno;
	(void)!write(failure, &code, sizeof(code));
	_exit(127);
}

static int wait_for(pid_t pid, int *ret_status)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return 0;
}

int update_command_run(char *const *command, bool output_to_stderr, int *ret_status,
		       struct error *error)
{
	struct handlers before;
	int failure[2];
	int code = 0;
	int result;
	pid_t pid;

	if (pipe2(failure, O_CLOEXEC) < 0)
		return error_set(error, errno, "cannot start %s: %s", command[0], strerror(errno));
	ignore_interrupts(&before);
	pid = fork();
	if (pid == 0)
		start(command, output_to_stderr, &before, failure[1]);
	result = pid < 0 ? -errno : 0;
	(void)close(failure[1]);
	if (result == 0 && read(failure[0], &code, sizeof(code)) != (ssize_t)sizeof(code))
		code = 0;
	(void)close(failure[0]);
	if (result == 0)
		result = wait_for(pid, ret_status);
	restore_interrupts(&before);
	if (result == 0 && code)
		result = -code;
	if (result < 0)
		return error_set(error, -result, "cannot start %s: %s", command[0],
				 strerror(-result));
	return 0;
}
