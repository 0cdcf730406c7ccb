/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUARD_PROCESS_FACTS_H
#define GUARD_PROCESS_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "guard/desk.h"
#include "guard/file_facts.h"

/*
 * What /proc says of a process, read without allocating and through descriptors that are noted on
 * the desk. Nothing here waits for the process or for a filesystem: /proc/PID/stat and the links
 * take no lock that an exec in progress holds.
 */

/* At most size - 1 bytes, NUL-terminated. Returns the length or negative errno. */
ssize_t process_read(struct desk *desk, pid_t pid, const char *name, char *bytes, size_t size);

struct process_facts {
	char state;
	pid_t parent;
	bool kernel_thread;
	unsigned int threads;
	uint64_t started_ticks; /* since boot */
	bool has_memory;	/* user space of its own */
	/* Where its stack and arguments lie: chosen at random by each exec, the same after fork. */
	uint64_t image_mark;
};

int process_facts_parse(const char *line, struct process_facts *ret_facts);
int process_facts_read(struct desk *desk, pid_t pid, struct process_facts *ret_facts);

/* The file it runs. Of a process whose first thread has ended, what its others run. -ENOENT: no
 * image (a kernel thread, or it is ending), -ESRCH: it is gone. */
int process_image_facts(struct desk *desk, pid_t pid, struct file_facts *ret_facts);

/* Where a link of /proc/PID leads, without " (deleted)"; "" when it cannot be known. */
void process_link(pid_t pid, const char *name, char *path, size_t size);

#endif
