/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/command_line.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "process/process_read.h"

#define RUNNING_ATTEMPTS 50

/* /proc/PID/syscall: the number and six arguments, proc(5) */
struct system_call {
	long number;
	uint64_t arguments[6];
};

int command_line_split(struct command_line *line)
{
	char *at = line->bytes;
	char *end = line->bytes + line->size;
	size_t count = 0;
	bool is_cut = line->is_cut;

	if (!line->size)
		return -ENOENT;
	*end = '\0';
	for (; at < end; at += strlen(at) + 1) {
		if (count == ARGUMENTS_LIMIT || strlen(at) > ARGUMENT_SIZE_LIMIT) {
			is_cut = true;
			break;
		}
		line->vector[count++] = at;
	}
	line->vector[count] = NULL;
	line->arguments = (struct arguments){
		.bytes = line->bytes, .vector = line->vector, .count = count, .is_cut = is_cut};
	return 0;
}

int command_line_read(struct command_line *line, struct transient *transient, pid_t pid)
{
	ssize_t size = process_read(transient, pid, "cmdline", line->bytes, sizeof(line->bytes));

	if (size < 0)
		return (int)size;
	line->size = (size_t)size;
	line->is_cut = line->size == sizeof(line->bytes) - 1;
	return command_line_split(line);
}

static int system_call_parse(const char *text, struct system_call *ret_call)
{
	const char *at = text;
	char *end;

	ret_call->number = strtol(at, &end, 10);
	if (end == at) /* "running" */
		return -EAGAIN;
	for (size_t i = 0; i < 6; i++) {
		at = end;
		ret_call->arguments[i] = strtoull(at, &end, 16);
		if (end == at)
			return -EAGAIN;
	}
	return 0;
}

/* Between its question and its sleep a process still runs: that takes microseconds, and is told
 * apart only by asking again. */
static int system_call_read(struct transient *transient, pid_t pid, struct system_call *ret_call)
{
	char text[256];
	int result = -EAGAIN;

	for (int i = 0; i < RUNNING_ATTEMPTS && result == -EAGAIN; i++) {
		if (i)
			(void)sched_yield();
		result = (int)process_read(transient, pid, "syscall", text, sizeof(text));
		if (result >= 0)
			result = system_call_parse(text, ret_call);
	}
	return result;
}

static ssize_t read_memory(pid_t pid, uint64_t address, void *bytes, size_t size)
{
	struct iovec local = {.iov_base = bytes, .iov_len = size};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)address, .iov_len = size};

	return process_vm_readv(pid, &local, 1, &remote, 1, 0);
}

/* A string of at most limit bytes, its NUL counted. Returns its size so, or negative errno. */
static ssize_t read_string(pid_t pid, uint64_t address, char *bytes, size_t limit)
{
	const size_t page = 4096; /* one that is there may be the last one that is */
	size_t length = 0;

	while (length < limit) {
		size_t size = page - (address + length) % page;
		const char *nul;
		ssize_t got;

		if (size > limit - length)
			size = limit - length;
		got = read_memory(pid, address + length, bytes + length, size);
		if (got <= 0)
			return -EAGAIN;
		nul = memchr(bytes + length, '\0', (size_t)got);
		if (nul)
			return nul - bytes + 1;
		length += (size_t)got;
	}
	return -E2BIG;
}

static int exec_call(struct transient *transient, pid_t pid, uint64_t *ret_path,
		     uint64_t *ret_vector)
{
	struct system_call call;

	if (system_call_read(transient, pid, &call) < 0)
		return -EAGAIN;
	if (call.number == SYS_execve) {
		*ret_path = call.arguments[0];
		*ret_vector = call.arguments[1];
		return 0;
	}
	if (call.number == SYS_execveat) {
		*ret_path = call.arguments[1];
		*ret_vector = call.arguments[2];
		return 0;
	}
	return -EAGAIN;
}

int command_line_of_exec(struct command_line *line, struct transient *transient, pid_t pid)
{
	uintptr_t pointers[ARGUMENTS_LIMIT + 1] = {0};
	uint64_t path;
	uint64_t vector;
	size_t count = 0;

	if (exec_call(transient, pid, &path, &vector) < 0)
		return -EAGAIN;
	for (; count <= ARGUMENTS_LIMIT; count++) {
		if (read_memory(pid, vector + count * sizeof(pointers[0]), &pointers[count],
				sizeof(pointers[0])) != sizeof(pointers[0]))
			return -EAGAIN;
		if (!pointers[count])
			break;
	}
	line->is_cut = count > ARGUMENTS_LIMIT;
	if (line->is_cut)
		count = ARGUMENTS_LIMIT;
	line->size = 0;
	for (size_t i = 0; i < count; i++) {
		size_t left = sizeof(line->bytes) - 1 - line->size;
		ssize_t size;

		if (left > ARGUMENT_SIZE_LIMIT + 1)
			left = ARGUMENT_SIZE_LIMIT + 1;
		size = read_string(pid, pointers[i], line->bytes + line->size, left);
		if (size == -E2BIG) {
			line->is_cut = true;
			break;
		}
		if (size < 0)
			return (int)size;
		line->size += (size_t)size;
	}
	return command_line_split(line);
}

int exec_path(struct transient *transient, pid_t pid, char *path, size_t size)
{
	uint64_t address;
	uint64_t vector;

	if (exec_call(transient, pid, &address, &vector) < 0 ||
	    read_string(pid, address, path, size) < 0)
		return -EAGAIN;
	return 0;
}

int command_line_through_script(struct command_line *line, const char *interpreter,
				const char *option, const char *script)
{
	const char *const words[] = {interpreter, option, script};
	size_t rest = line->arguments.count ? strlen(line->vector[0]) + 1 : 0;
	size_t head = 0;
	char *at = line->bytes;

	for (size_t i = 0; i < 3; i++)
		head += *words[i] ? strlen(words[i]) + 1 : 0;
	if (head + line->size - rest >= sizeof(line->bytes))
		return -E2BIG;
	memmove(line->bytes + head, line->bytes + rest, line->size - rest);
	line->size = head + line->size - rest;
	for (size_t i = 0; i < 3; i++)
		if (*words[i])
			at = stpcpy(at, words[i]) + 1;
	return command_line_split(line);
}

bool process_opens_to_write(struct transient *transient, pid_t pid)
{
	struct system_call call;
	uint64_t flags;

	if (system_call_read(transient, pid, &call) < 0)
		return false;
	/* not openat2: its flags lie in memory that others may change */
	switch (call.number) {
#ifdef SYS_open
	case SYS_open:
		flags = call.arguments[1];
		break;
#endif
	case SYS_openat:
		flags = call.arguments[2];
		break;
	default:
		return false;
	}
	return (flags & O_ACCMODE) == O_WRONLY;
}
