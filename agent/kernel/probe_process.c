/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "kernel/capability_table.h"
#include "loop/loop.h"
#include "observe/host/process_events.h"

/* OVERLAYFS_SUPER_MAGIC of linux/magic.h */
#define OVERLAYFS_MAGIC 0x794c7630

static void ignore_event(void *context, const struct process_event *event)
{
	(void)context;
	(void)event;
}

static void ignore_end(void *context)
{
	(void)context;
}

void probe_process_connector(const struct capability_row *row, const char *root,
			     struct capability_finding *finding)
{
	struct process_events *events = NULL;
	const char *reason = "out of memory";
	struct loop *loop = NULL;
	int result = loop_new(&loop);

	(void)row;
	(void)root;
	if (result == 0)
		result = process_events_new(loop, ignore_event, ignore_end, NULL, &events, &reason);
	if (result == 0)
		finding_set(finding, CAPABILITY_ON, "tried");
	else
		finding_set(finding,
			    result == -EPERM || result == -EACCES || result == -ENOMEM
				    ? CAPABILITY_UNKNOWN
			    : result == -EOPNOTSUPP || result == -ECONNREFUSED ? CAPABILITY_OFF
									       : CAPABILITY_MISSING,
			    "%s", reason);
	process_events_free(events);
	loop_free(loop);
}

void probe_pidfd(const struct capability_row *row, const char *root,
		 struct capability_finding *finding)
{
	_cleanup_(closep) int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	(void)row;
	(void)root;
	if (fd < 0)
		finding_set(finding, errno == ENOSYS ? CAPABILITY_MISSING : CAPABILITY_OFF,
			    "pidfd_open: %s", strerrorname_np(errno));
	else if (syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) < 0)
		finding_set(finding, CAPABILITY_OFF, "pidfd_send_signal: %s",
			    strerrorname_np(errno));
	else
		finding_set(finding, CAPABILITY_ON, "tried");
}

/* Reads a word of another process as the guard does. Returns 0 or negative errno with the culprit
 * in *ret_call. */
static int read_other(pid_t pid, const char **ret_call)
{
	static const long original = 0x72746775; /* at the same place in a forked child */
	char path[48];
	char text[160];
	long word = 0;
	struct iovec here = {&word, sizeof(word)};
	struct iovec there = {(void *)(uintptr_t)&original, sizeof(original)};
	_cleanup_(closep) int fd = -1;

	*ret_call = "process_vm_readv";
	if (process_vm_readv(pid, &here, 1, &there, 1, 0) < 0)
		return -errno;
	if (word != original)
		return -EIO;
	(void)snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
	*ret_call = "/proc/PID/syscall";
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text)) < 0)
		return -errno;
	return 0;
}

static pid_t start_sleeper(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid != 0)
		return pid < 0 ? -errno : pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == parent)
		(void)pause();
	_exit(0);
}

void probe_exec_arguments(const struct capability_row *row, const char *root,
			  struct capability_finding *finding)
{
	struct kernel_release release = {0};
	const char *call = "fork";
	char running[32];
	pid_t pid;
	int result;

	(void)root;
	(void)kernel_release_running(&release);
	kernel_release_format(release, running, sizeof(running));
	if (kernel_release_before(release, row->since)) {
		finding_set(finding, CAPABILITY_MISSING, "Linux %s", running);
		return;
	}
	pid = start_sleeper();
	result = pid < 0 ? pid : read_other(pid, &call);
	if (pid > 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	if (result == 0)
		finding_set(finding, CAPABILITY_ON, "tried");
	else
		finding_set(finding,
			    result == -ENOSYS || result == -ENOENT ? CAPABILITY_MISSING
								   : CAPABILITY_OFF,
			    "%s: %s", call, strerrorname_np(-result));
}

/* Writes where it may not: a page of its own that is there to be read only. */
static int write_over_own_page(void)
{
	_cleanup_(closep) int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	long size = sysconf(_SC_PAGESIZE);
	ssize_t written;
	void *page;
	int result;

	if (fd < 0)
		return -errno;
	page = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return -errno;
	written = pwrite(fd, "", 1, (off_t)(uintptr_t)page);
	result = written == 1 ? 0 : -errno;
	(void)munmap(page, (size_t)size);
	return result;
}

void probe_process_memory(const struct capability_row *row, const char *root,
			  struct capability_finding *finding)
{
	struct kernel_release release = {0};
	int result = write_over_own_page();

	(void)root;
	(void)kernel_release_running(&release);
	if (result == -EIO || result == -EACCES || result == -EPERM)
		finding_set(finding, CAPABILITY_ON, "tried: %s", strerrorname_np(-result));
	else if (result < 0)
		finding_set(finding, CAPABILITY_UNKNOWN, "/proc/self/mem: %s",
			    strerrorname_np(-result));
	else if (kernel_release_before(release, row->since))
		finding_set(finding, CAPABILITY_MISSING, "tried: it writes");
	else
		finding_set(finding, CAPABILITY_OFF, "tried: it writes");
}

/* Opens the program that runs (this one) to write, and writes nothing. An overlay would copy the
 * file for it, and is not asked. */
static int open_running_program(void)
{
	struct statfs filesystem;
	_cleanup_(closep) int fd = -1;

	if (statfs("/proc/self/exe", &filesystem) < 0 || filesystem.f_type == OVERLAYFS_MAGIC)
		return -EOPNOTSUPP;
	fd = open("/proc/self/exe", O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : 0;
}

void probe_write_execute(const struct capability_row *row, const char *root,
			 struct capability_finding *finding)
{
	struct kernel_release release = {0};
	/* an early 6.13 or a late 6.11 may go either way */
	const struct kernel_release safe_from = {{6, 14}};
	char running[32];
	int result;

	(void)root;
	(void)kernel_release_running(&release);
	kernel_release_format(release, running, sizeof(running));
	if (kernel_release_before(release, row->since) ||
	    !kernel_release_before(release, safe_from)) {
		finding_set(finding, CAPABILITY_ON, "Linux %s", running);
		return;
	}
	result = open_running_program();
	if (result == -ETXTBSY)
		finding_set(finding, CAPABILITY_ON, "tried: ETXTBSY");
	else if (result == 0)
		finding_set(finding, CAPABILITY_MISSING, "tried: it opens");
	else
		finding_set(finding,
			    kernel_release_before(release, row->until) ? CAPABILITY_MISSING
								       : CAPABILITY_ON,
			    "Linux %s", running);
}
