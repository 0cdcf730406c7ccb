/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/process_info.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

/* include/linux/sched.h: I am a kernel thread */
#define PF_KTHREAD 0x00200000UL
/* forked but didn't exec */
#define PF_FORKNOEXEC 0x00000040UL

/* PROC_PID_INIT_INO of the kernel's linux/proc_ns.h */
#define INITIAL_PID_NAMESPACE 0xEFFFFFFCU

ssize_t process_file_read(pid_t pid, const char *name, char *bytes, size_t size)
{
	char path[64];
	_cleanup_(closep) int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : read_text(fd, bytes, size);
}

int process_stat_parse(const char *line, struct process_stat *ret_stat)
{
	/* The name stands in parentheses and may hold some itself: the last one ends it. */
	const char *rest = strrchr(line, ')');
	unsigned long flags;
	uint64_t started;
	uint64_t size;
	uint64_t stack;
	uint64_t arguments;
	long ticks = sysconf(_SC_CLK_TCK);
	char state;
	int parent;
	int session;
	int terminal;
	int threads;

	if (!rest || ticks <= 0)
		return -EBADMSG;
	/* proc_pid_stat(5): fields 3 state, 4 ppid, 6 session, 7 tty_nr, 9 flags, 20 num_threads,
	 * 22 starttime, 23 vsize, 28 startstack, 48 arg_start */
	if (sscanf(rest + 1,
		   " %c %d %*d %d %d %*d %lu %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d"
		   " %*d %" SCNu64 " %" SCNu64 " %*d %*u %*u %*u %" SCNu64
		   " %*u %*u %*u %*u %*u %*u %*u %*u %*u %*d %*d %*u %*u %*u %*u %*d"
		   " %*u %*u %*u %" SCNu64,
		   &state, &parent, &session, &terminal, &flags, &threads, &started, &size, &stack,
		   &arguments) != 10)
		return -EBADMSG;
	*ret_stat = (struct process_stat){
		.state = state,
		.parent = parent,
		.session = session,
		.terminal = terminal,
		.kernel_thread = flags & PF_KTHREAD,
		.forked = flags & PF_FORKNOEXEC,
		.threads = threads > 0 ? (unsigned int)threads : 0,
		.has_memory = size > 0,
		.started_ns = started * (NS_PER_S / (uint64_t)ticks),
		.image_mark = stack ^ (arguments << 16 | arguments >> 48),
	};
	return 0;
}

int process_stat_read(pid_t pid, struct process_stat *ret_stat)
{
	char line[1024];
	ssize_t size = process_file_read(pid, "stat", line, sizeof(line));

	if (size < 0)
		return (int)size;
	return process_stat_parse(line, ret_stat);
}

int process_user_parse(const char *status, uint32_t *ret_effective)
{
	/* the name comes first, with newlines escaped */
	const char *line = strstr(status, "\nUid:");
	uint32_t effective;

	if (!line || sscanf(line, "\nUid: %*u %" SCNu32, &effective) != 1)
		return -EBADMSG;
	*ret_effective = effective;
	return 0;
}

int process_user_read(pid_t pid, uint32_t *ret_effective)
{
	char status[1024];
	ssize_t size = process_file_read(pid, "status", status, sizeof(status));

	if (size < 0)
		return (int)size;
	return process_user_parse(status, ret_effective);
}

uint32_t process_audit_session(pid_t pid)
{
	char bytes[16];
	uint64_t session;

	if (process_file_read(pid, "sessionid", bytes, sizeof(bytes)) <= 0)
		return AUDIT_SESSION_UNSET;
	bytes[strcspn(bytes, "\n")] = '\0';
	if (number_parse(bytes, UINT32_MAX, &session) < 0)
		return AUDIT_SESSION_UNSET;
	return (uint32_t)session;
}

bool in_initial_pid_namespace(void)
{
	struct stat status;

	return stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == INITIAL_PID_NAMESPACE;
}

int process_program_open(pid_t pid)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool process_runs(pid_t pid, const struct file_key *file)
{
	char path[64];
	struct stat status;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return stat(path, &status) == 0 && status.st_dev == file->device &&
	       status.st_ino == file->inode;
}

/* A file may really be called so: then it is there. */
static void cut_deleted(char *path)
{
	static const char mark[] = " (deleted)";
	size_t length = strlen(path);
	struct stat status;

	if (length > strlen(mark) && strcmp(path + length - strlen(mark), mark) == 0 &&
	    lstat(path, &status) < 0)
		path[length - strlen(mark)] = '\0';
}

static int link_target(const char *link, char **ret_path)
{
	char target[PATH_MAX];
	ssize_t size = readlink(link, target, sizeof(target));
	char *path;

	if (size < 0)
		return -errno;
	if ((size_t)size >= sizeof(target))
		return -ENAMETOOLONG;
	path = strndup(target, (size_t)size);
	if (!path)
		return -ENOMEM;
	cut_deleted(path);
	*ret_path = path;
	return 0;
}

int descriptor_path(int fd, char **ret_path)
{
	char link[64];

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return link_target(link, ret_path);
}

int process_program_path(pid_t pid, char **ret_path)
{
	char link[64];

	(void)snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	return link_target(link, ret_path);
}
