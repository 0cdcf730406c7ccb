/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/signals.h"
#include "guard/guard_private.h"
#include "privilege/child.h"
#include "process/process_image.h"
#include "process/process_read.h"

#define CACHE_SETS	 4096 /* of four files */
#define IMAGE_LIMIT	 512  /* processes that run pinned programs, at a time */
#define DESCRIPTOR_LIMIT 16384
#define HELD_FINDINGS_MS 10
#define SIGNAL_TURNS	 64

/* A signal need only end the wait. All others have to wait themselves: one that ends supervisor and
 * guard at once would let pass what waits. */
static void wake(int number)
{
	(void)number;
}

static void take_signals(sigset_t *ret_while_waiting)
{
	const struct sigaction ends_wait = {.sa_handler = wake};
	const struct sigaction ignored = {.sa_handler = SIG_IGN};

	signals_block_all();
	signals_fill(ret_while_waiting);
	(void)sigdelset(ret_while_waiting, SIGTERM);
	(void)sigaction(SIGTERM, &ends_wait, NULL);
	(void)sigaction(SIGPIPE, &ignored, NULL);
	(void)sigaction(SIGIO, &ignored, NULL);	  /* somebody wants a file that is held */
	(void)sigaction(SIGCHLD, &ignored, NULL); /* helpers leave nothing behind */
}

/* Its supervisor is gone: nobody would follow it. */
static bool is_orphan(const struct guard *guard)
{
	pid_t supervisor = guard->config->trusted[GUARD_TRUSTED_SUPERVISOR];

	return supervisor > 0 && getppid() != supervisor;
}

static bool is_told_to_end(const struct guard *guard)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 1 &&
	       !is_orphan(guard);
}

static bool kernel_is_at_least(unsigned int major, unsigned int minor)
{
	struct utsname name;
	unsigned int has_major;
	unsigned int has_minor;

	if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &has_major, &has_minor) != 2)
		return false;
	return has_major > major || (has_major == major && has_minor >= minor);
}

static bool stacks_are_random(struct desk *desk)
{
	char text[8] = "0";
	int fd = transient_open(&desk->transient, "/proc/sys/kernel/randomize_va_space", O_RDONLY);

	if (fd < 0)
		return false;
	(void)!read(fd, text, sizeof(text) - 1);
	transient_close(&desk->transient, fd);
	return atoi(text) > 0;
}

static void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	verdict_cache_free(guard->cache);
	image_table_free(guard->images);
	filesystems_free(guard->filesystems);
	free(guard);
}

/* All the memory that it will ever need. */
static int guard_new(const struct guard_config *config, struct guard **ret_guard)
{
	struct guard *guard = calloc(1, sizeof(*guard));
	struct file_facts own;
	int result = -ENOMEM;

	if (!guard)
		return -ENOMEM;
	guard->config = config;
	guard->policy = config->policy;
	guard->desk = config->desk;
	desk_take_over(guard->desk);
	result = verdict_cache_new(CACHE_SETS, &guard->cache);
	if (result == 0)
		result = image_table_new(IMAGE_LIMIT, &guard->images);
	if (result == 0)
		result = filesystems_new(&guard->desk->transient, &guard->desk->mounts,
					 &guard->filesystems);
	if (result < 0) {
		guard_free(guard);
		return result;
	}
	kernel_cache_init(&guard->kernel, config->fanotify, config->mode);
	finding_outbox_init(&guard->outbox, config->findings, guard->desk);
	if (process_image_facts(&guard->desk->transient, getpid(), &own) == 0)
		guard->own_program = own.key;
	guard->reads_exec_arguments = kernel_is_at_least(5, 11);
	guard->randomised = stacks_are_random(guard->desk);
	*ret_guard = guard;
	return 0;
}

/* Returns whether to go on. */
static bool wait_for_events(struct guard *guard, const sigset_t *while_waiting, int timeout_ms)
{
	struct pollfd waited[] = {{.fd = guard->config->fanotify, .events = POLLIN},
				  {.fd = guard->desk->mounts, .events = POLLPRI}};
	const struct timespec timeout = {.tv_sec = 0, .tv_nsec = timeout_ms * (long)NS_PER_MS};

	if (timeout_ms)
		guard->desk->busy_since_ns = 0;
	if (ppoll(waited, guard->desk->mounts > 0 ? 2 : 1, timeout_ms < 0 ? NULL : &timeout,
		  while_waiting) < 0 &&
	    errno == EINTR && !is_orphan(guard))
		return false; /* SIGTERM alone is let in here */
	guard->desk->busy_since_ns = clock_monotonic_ns();
	guard->desk->beat++;
	/* as long as there are events no signal ends the wait: it is looked for now and then */
	return ++guard->turns % SIGNAL_TURNS || !is_told_to_end(guard);
}

static int serve(struct guard *guard, const sigset_t *while_waiting)
{
	struct desk *desk = guard->desk;
	int timeout_ms = 0;
	ssize_t got;

	desk->busy_since_ns = clock_monotonic_ns();
	work_begin(guard);
	for (;;) {
		bool has_room = work_events(guard);

		timeout_ms = work_pending(guard);
		if (finding_outbox_flush(&guard->outbox) && timeout_ms < 0)
			timeout_ms = HELD_FINDINGS_MS;
		if (!has_room) {
			if (is_told_to_end(guard))
				return 0;
			continue;
		}
		if (!wait_for_events(guard, while_waiting, timeout_ms))
			return 0;
		got = desk_fill(desk, guard->config->fanotify);
		if (got == -EBADF)
			return -EBADF;
		if (got < 0) /* the kernel could not open the file for us, and said no */
			desk->unread++;
		if (filesystems_refresh(guard->filesystems))
			verdict_cache_clear(guard->cache);
	}
}

int guard_run(const struct guard_config *config)
{
	struct guard *guard = NULL;
	sigset_t while_waiting;
	int result;

	take_signals(&while_waiting);
	result = guard_new(config, &guard);
	if (result < 0)
		return result;
	guard->self = getpid();
	config->desk->guard_pid = guard->self;
	result = serve(guard, &while_waiting);
	config->desk->busy_since_ns = 0;
	config->desk->guard_pid = 0;
	guard_free(guard);
	return result;
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= DESCRIPTOR_LIMIT)
		return;
	limit.rlim_cur = DESCRIPTOR_LIMIT;
	if (limit.rlim_max < limit.rlim_cur)
		limit.rlim_max = limit.rlim_cur;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int guard_child(const struct guard_config *config)
{
	child_reset_signals();
	(void)prctl(PR_SET_NAME, "rtguard-guard");
	(void)prctl(PR_SET_PDEATHSIG, 0); /* it serves on when its supervisor is gone */
	child_spare_from_memory_killer();
	raise_descriptor_limit();
	/* what is touched stays: memory that has to be fetched may have to wait for us */
	(void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
	return guard_run(config) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

pid_t guard_start(const struct guard_config *config)
{
	long pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(guard_child(config));
	return pid < 0 ? -errno : (pid_t)pid;
}
