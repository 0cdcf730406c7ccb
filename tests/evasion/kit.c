/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <elf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evade.h"

#define LOOT_KEY       0xa5 /* as encode.py has it */
#define ARGUMENT_LIMIT 16

extern char **environ;

static const char *from_environment(const char *name)
{
	const char *value = getenv(name);

	if (!value)
		errx(2, "$%s is not set", name);
	return value;
}

const char *trace(void)
{
	return from_environment("TRACE");
}

const char *allowed(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", from_environment("ALLOWED"), name);
	return path;
}

bool succeeded(void)
{
	struct stat status;

	return !lstat(trace(), &status);
}

int tries(void)
{
	return atoi(from_environment("TRIES"));
}

static uint8_t *read_file(const char *path, size_t *ret_size)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *bytes;

	if (fd < 0 || fstat(fd, &status))
		err(2, "%s", path);
	bytes = malloc((size_t)status.st_size + 1);
	if (!bytes || read(fd, bytes, (size_t)status.st_size) != status.st_size)
		err(2, "%s", path);
	close(fd);
	*ret_size = (size_t)status.st_size;
	return bytes;
}

uint8_t *loot(const char *name, size_t *ret_size)
{
	char path[4096];
	uint8_t *bytes;

	snprintf(path, sizeof(path), "%s/%s", from_environment("LOOT"), name);
	bytes = read_file(path, ret_size);
	for (size_t i = 0; i < *ret_size; i++)
		bytes[i] ^= LOOT_KEY;
	return bytes;
}

static void write_all(int fd, const void *bytes, size_t size, const char *path)
{
	const uint8_t *at = bytes;

	while (size) {
		ssize_t written = write(fd, at, size);

		if (written <= 0)
			err(2, "%s", path);
		at += written;
		size -= (size_t)written;
	}
}

void drop_fd(const char *name, int fd)
{
	size_t size;
	uint8_t *bytes = loot(name, &size);

	write_all(fd, bytes, size, name);
	free(bytes);
}

static int create(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0 || fchmod(fd, mode))
		err(2, "%s", path);
	return fd;
}

void drop(const char *name, const char *path)
{
	int fd = create(path, 0755);

	drop_fd(name, fd);
	close(fd);
}

void write_text(const char *path, const char *text, mode_t mode)
{
	int fd = create(path, mode);

	write_all(fd, text, strlen(text), path);
	close(fd);
}

void set_value(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		err(2, "%s", path);
	write_all(fd, text, strlen(text), path);
	close(fd);
}

void copy_allowed(const char *name, const char *path)
{
	size_t size;
	uint8_t *bytes = read_file(name[0] == '/' ? name : allowed(name), &size);
	int fd = create(path, 0755);

	write_all(fd, bytes, size, path);
	close(fd);
	free(bytes);
}

int finish(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static pid_t start_argv(const char *path, char *const argv[], char *const extra_environment[])
{
	pid_t pid = fork();

	if (pid)
		return pid;
	for (; extra_environment && *extra_environment; extra_environment++)
		putenv(*extra_environment);
	execvp(path, argv);
	warn("%s", path);
	_exit(127);
}

int run_argv(const char *path, char *const argv[], char *const extra_environment[])
{
	return finish(start_argv(path, argv, extra_environment));
}

static void collect(char **argv, const char *path, va_list arguments)
{
	size_t count = 0;

	argv[count++] = strdup(path);
	while (count < ARGUMENT_LIMIT) {
		const char *argument = va_arg(arguments, const char *);

		if (!argument)
			break;
		argv[count++] = strdup(argument);
	}
	argv[count] = NULL;
}

int run(const char *path, ...)
{
	char *argv[ARGUMENT_LIMIT + 1];
	va_list arguments;

	va_start(arguments, path);
	collect(argv, path, arguments);
	va_end(arguments);
	return run_argv(path, argv, NULL);
}

pid_t start(const char *path, ...)
{
	char *argv[ARGUMENT_LIMIT + 1];
	va_list arguments;

	va_start(arguments, path);
	collect(argv, path, arguments);
	va_end(arguments);
	return start_argv(path, argv, NULL);
}

void execute_fd(int fd)
{
	char name[] = "intruder";
	char *argv[] = {name, NULL};
	pid_t pid = fork();

	if (!pid) {
		syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
		warn("execveat");
		_exit(127);
	}
	finish(pid);
}

static bool is_agent(const char *pid)
{
	const char *agent = getenv("AGENT");
	char path[64];
	char name[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = 0;
	fclose(file);
	name[strcspn(name, "\n")] = 0;
	return agent && *agent && !strncmp(name, agent, strlen(agent));
}

size_t agent_pids(pid_t *pids, size_t limit)
{
	size_t count = 0;
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (!proc)
		err(2, "/proc");
	while (count < limit && (entry = readdir(proc)))
		if (atoi(entry->d_name) > 0 && is_agent(entry->d_name))
			pids[count++] = atoi(entry->d_name);
	closedir(proc);
	return count; /* /proc is in the order of pids: the oldest first */
}

/* A symbol's value is an address in memory; the segment that holds it says where in the file. */
static size_t in_file(const uint8_t *library, uint64_t address)
{
	const Elf64_Ehdr *header = (const void *)library;
	const Elf64_Phdr *segment = (const void *)(library + header->e_phoff);

	for (int i = 0; i < header->e_phnum; i++, segment++)
		if (segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
		    address < segment->p_vaddr + segment->p_filesz)
			return segment->p_offset + (address - segment->p_vaddr);
	errx(2, "no segment holds address %#lx", (unsigned long)address);
}

size_t code_offset(const uint8_t *library, size_t size, const char *function)
{
	const Elf64_Ehdr *header = (const void *)library;
	const Elf64_Shdr *sections = (const void *)(library + header->e_shoff);

	if (size < sizeof(*header) || header->e_shoff >= size)
		errx(2, "not a library");
	for (int i = 0; i < header->e_shnum; i++) {
		const char *names = (const char *)library + sections[sections[i].sh_link].sh_offset;
		const Elf64_Sym *symbol = (const void *)(library + sections[i].sh_offset);

		if (sections[i].sh_type != SHT_DYNSYM)
			continue;
		for (size_t j = 0; j < sections[i].sh_size / sizeof(*symbol); j++)
			if (!strcmp(names + symbol[j].st_name, function))
				return in_file(library, symbol[j].st_value);
	}
	errx(2, "no function %s", function);
}
