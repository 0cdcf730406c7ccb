/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/process_facts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* include/linux/sched.h: I am a kernel thread */
#define PF_KTHREAD 0x00200000UL

ssize_t process_read(struct desk *desk, pid_t pid, const char *name, char *bytes, size_t size)
{
	char path[64];
	size_t length = 0;
	ssize_t got = 0;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = desk_open(desk, path, O_RDONLY);
	if (fd < 0)
		return fd;
	while (length < size - 1) {
		got = read(fd, bytes + length, size - 1 - length);
		if (got <= 0)
			break;
		length += (size_t)got;
	}
	if (got < 0)
		got = -errno;
	desk_close(desk, fd);
	bytes[length] = '\0';
	return got < 0 && !length ? got : (ssize_t)length;
}

int process_facts_parse(const char *line, struct process_facts *ret_facts)
{
	/* The name stands in parentheses and may hold some itself: the last one ends it. */
	const char *rest = strrchr(line, ')');
	unsigned long flags;
	uint64_t size;
	uint64_t stack;
	uint64_t arguments;
	int parent;
	int threads;
	char state;
	uint64_t started;

	/* proc_pid_stat(5): fields 3 state, 4 ppid, 9 flags, 20 num_threads, 22 starttime, 23
	 * vsize, 28 startstack, 48 arg_start */
	if (!rest ||
	    sscanf(rest + 1,
		   " %c %d %*d %*d %*d %*d %lu %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d"
		   " %*d %" SCNu64 " %" SCNu64 " %*d %*u %*u %*u %" SCNu64
		   " %*u %*u %*u %*u %*u %*u %*u %*u %*u %*d %*d %*u %*u %*u %*u %*d"
		   " %*u %*u %*u %" SCNu64,
		   &state, &parent, &flags, &threads, &started, &size, &stack, &arguments) != 8)
		return -EBADMSG;
	*ret_facts = (struct process_facts){
		.state = state,
		.parent = parent,
		.kernel_thread = flags & PF_KTHREAD,
		.threads = threads > 0 ? (unsigned int)threads : 0,
		.started_ticks = started,
		.has_memory = size > 0,
		.image_mark = stack ^ (arguments << 16 | arguments >> 48),
	};
	return 0;
}

int process_facts_read(struct desk *desk, pid_t pid, struct process_facts *ret_facts)
{
	char line[1024];
	ssize_t size = process_read(desk, pid, "stat", line, sizeof(line));

	if (size < 0)
		return (int)size;
	return process_facts_parse(line, ret_facts);
}

static int image_of(pid_t pid, struct file_facts *ret_facts)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return file_facts_at(AT_FDCWD, path, ret_facts);
}

/* struct linux_dirent64 of getdents64(2) */
struct directory_entry {
	uint64_t inode;
	int64_t offset;
	unsigned short size;
	unsigned char type;
	char name[];
};

static int image_of_a_thread(struct desk *desk, pid_t pid, struct file_facts *ret_facts)
{
	_Alignas(8) char bytes[4096];
	char path[64];
	int result = -ENOENT;
	long got;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	fd = desk_open(desk, path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	got = syscall(SYS_getdents64, fd, bytes, sizeof(bytes));
	for (long at = 0; at < got && result < 0;) {
		const struct directory_entry *entry = (const void *)(bytes + at);
		int thread = atoi(entry->name);

		if (thread > 0 && thread != pid)
			result = image_of(thread, ret_facts);
		at += entry->size;
	}
	desk_close(desk, fd);
	return result;
}

int process_image_facts(struct desk *desk, pid_t pid, struct file_facts *ret_facts)
{
	int result = image_of(pid, ret_facts);

	return result == -ENOENT ? image_of_a_thread(desk, pid, ret_facts) : result;
}

void process_link(pid_t pid, const char *name, char *path, size_t size)
{
	static const char mark[] = " (deleted)";
	char link[64];
	ssize_t length;

	(void)snprintf(link, sizeof(link), "/proc/%d/%s", (int)pid, name);
	length = readlink(link, path, size - 1);
	path[length > 0 ? length : 0] = '\0';
	if (length > (ssize_t)strlen(mark) &&
	    strcmp(path + length - (ssize_t)strlen(mark), mark) == 0)
		path[length - (ssize_t)strlen(mark)] = '\0';
}
