/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_PROCESS_INFO_H
#define OBSERVE_HOST_PROCESS_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "program/file_key.h"

/* What /proc/PID says of one process at this moment (proc(5)). All errors are negative errno; a
 * process that is gone is -ENOENT or -ESRCH. */

/* No audit session: (unsigned int)-1 of linux/audit.h */
#define AUDIT_SESSION_UNSET UINT32_MAX

struct process_stat {
	char state; /* proc_pid_stat(5) */
	pid_t parent;
	pid_t session; /* POSIX session id */
	int terminal;  /* controlling, 0: none */
	bool kernel_thread;
	bool forked; /* and has executed nothing since: its arguments are those of whom it left */
	unsigned int threads;
	bool has_memory;     /* user space of its own */
	uint64_t started_ns; /* CLOCK_BOOTTIME */
	/* Where its stack and arguments lie: chosen at random by each exec (but for processes that
	 * asked for no randomness), kept by fork. */
	uint64_t image_mark;
};

/* The line of /proc/PID/stat, which may hold any bytes in the name. Returns 0 or -EBADMSG. */
int process_stat_parse(const char *line, struct process_stat *ret_stat);
int process_stat_read(pid_t pid, struct process_stat *ret_stat);

/* The second number of the "Uid:" line in /proc/PID/status. Returns 0 or -EBADMSG. */
int process_user_parse(const char *status, uint32_t *ret_effective);
int process_user_read(pid_t pid, uint32_t *ret_effective);

/* AUDIT_SESSION_UNSET where the kernel keeps none. */
uint32_t process_audit_session(pid_t pid);

/* A file of the process's /proc directory: at most size - 1 bytes, NUL-terminated. Returns the
 * length. */
ssize_t process_file_read(pid_t pid, const char *name, char *bytes, size_t size);

/* Whether this process is of the machine's own pid namespace: sees all processes, by the pids that
 * the kernel's own events use. */
bool in_initial_pid_namespace(void);

/* Opens the process's program through /proc/PID/exe: the inode itself, even when it was deleted. */
int process_program_open(pid_t pid);

/* Whether the process runs that file (device and inode) now. */
bool process_runs(pid_t pid, const struct file_key *file);

/* The path of an open descriptor or of a process's program, without the kernel's
 * " (deleted)", freed by the caller. */
int descriptor_path(int fd, char **ret_path);
int process_program_path(pid_t pid, char **ret_path);

#endif
