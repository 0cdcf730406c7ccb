/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * storm TEMPLATE KNOWN DIRECTORY FIRST LAST SECONDS: tries the unknown programs FIRST to LAST, each
 * of other content, and runs a known one in between; spread over the seconds. TEMPLATE holds the
 * program with every byte inverted, so that it can be read where unknown programs can't be opened.
 * Each one that runs leaves DIRECTORY/trace-NUMBER. Prints what came of it as JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TEMPLATE_LIMIT (2u << 20)
#define EXEC_REFUSED   99
#define EXEC_FAILED    98

struct template
{
	uint8_t bytes[TEMPLATE_LIMIT];
	size_t size;
};

static int read_template(const char *path, struct template *template)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, template->bytes, sizeof(template->bytes));

	if (size <= 0)
		return -1;
	template->size = (size_t)size;
	for (size_t i = 0; i < template->size; i++)
		template->bytes[i] ^= 0xff;
	return close(fd);
}

static int write_intruder(const char *path, const struct template *template, unsigned long number)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	int failed = fd < 0 ||
		     write(fd, template->bytes, template->size) != (ssize_t) template->size ||
		     write(fd, &number, sizeof(number)) != (ssize_t)sizeof(number);

	return fd < 0 || close(fd) < 0 || failed ? -1 : 0;
}

/* The exit status; EXEC_REFUSED for EPERM. */
static int run(const char *program, const char *argument)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execl(program, program, argument, (char *)NULL);
		_exit(errno == EPERM ? EXEC_REFUSED : EXEC_FAILED);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static double now_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static struct template template;
	unsigned long refused = 0;
	unsigned long not_written = 0;
	unsigned long known = 0;
	unsigned long known_failed = 0;
	unsigned long first;
	unsigned long last;
	double started = now_s();
	double seconds;

	if (argc != 7 || read_template(argv[1], &template) < 0) {
		perror("storm");
		return 2;
	}
	first = strtoul(argv[4], NULL, 10);
	last = strtoul(argv[5], NULL, 10);
	seconds = strtod(argv[6], NULL);
	for (unsigned long number = first; number <= last; number++) {
		double due =
			started + seconds * (double)(number - first) / (double)(last - first + 1);
		char program[512];
		char trace[512];

		(void)snprintf(program, sizeof(program), "%s/intruder-%lu", argv[3], number);
		(void)snprintf(trace, sizeof(trace), "%s/trace-%lu", argv[3], number);
		if (write_intruder(program, &template, number) < 0)
			not_written++;
		refused += run(program, trace) == EXEC_REFUSED;
		(void)unlink(program);
		known++;
		known_failed += run(argv[2], "-") != 0;
		if (now_s() < due)
			(void)usleep((useconds_t)((due - now_s()) * 1e6));
	}
	(void)printf("{\"tried\": %lu, \"not_written\": %lu, \"refused\": %lu, \"known\": %lu, "
		     "\"known_failed\": %lu}\n",
		     last - first + 1, not_written, refused, known, known_failed);
	return 0;
}
