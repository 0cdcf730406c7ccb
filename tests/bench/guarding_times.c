/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guarding_times open FILE COUNT      opens and closes one file COUNT times
 * guarding_times each DIRECTORY COUNT opens and closes DIRECTORY/0 to COUNT - 1, once each
 * guarding_times exec COUNT PROGRAM…  starts a program COUNT times, one after the other, and waits
 * for it
 *
 * Prints the nanoseconds of one: the median of up to 20 parts of the count.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PARTS 20

extern char **environ;

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static bool open_once(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && close(fd) == 0;
}

static bool open_file(char **arguments, long index)
{
	(void)index;
	return open_once(arguments[0]);
}

static bool open_each(char **arguments, long index)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%ld", arguments[0], index);
	return open_once(path);
}

static bool execute(char **arguments, long index)
{
	int status;
	pid_t pid;

	(void)index;
	return posix_spawn(&pid, arguments[1], NULL, NULL, arguments + 1, environ) == 0 &&
	       waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static const struct {
	const char *name;
	int count_at; /* among what follows the name */
	bool (*once)(char **arguments, long index);
} modes[] = {
	{"open", 1, open_file},
	{"each", 1, open_each},
	{"exec", 0, execute},
};

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;

	return (left > right) - (left < right);
}

static int measure(bool (*once)(char **arguments, long index), char **arguments, long count)
{
	long parts = count < PARTS ? count : PARTS;
	double times[PARTS];

	for (long part = 0; part < parts; part++) {
		long first = count * part / parts;
		long last = count * (part + 1) / parts;
		uint64_t began_ns = now_ns();

		for (long i = first; i < last; i++) {
			if (!once(arguments, i)) {
				perror(arguments[0]);
				return 1;
			}
		}
		times[part] = (double)(now_ns() - began_ns) / (double)(last - first);
	}
	qsort(times, (size_t)parts, sizeof(times[0]), compare);
	(void)printf("%.1f\n", times[parts / 2]);
	return 0;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc >= 4 && i < sizeof(modes) / sizeof(modes[0]); i++) {
		long count = strtol(argv[2 + modes[i].count_at], NULL, 10);

		if (strcmp(argv[1], modes[i].name) == 0 && count > 0)
			return measure(modes[i].once, argv + 2, count);
	}
	(void)fprintf(stderr, "usage: guarding_times open FILE COUNT | each DIRECTORY COUNT | "
			      "exec COUNT PROGRAM…\n");
	return 2;
}
