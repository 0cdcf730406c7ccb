/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * short_lived COUNT LIFETIME_MS PER_SECOND DIRECTORY: copies itself COUNT times under DIRECTORY,
 * each copy with other content, and starts each once at the given rate; a copy lives LIFETIME_MS.
 * Prints the seconds that starting took. Without a DIRECTORY argument it is such a copy:
 * short_lived LIFETIME_MS.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void sleep_s(double seconds)
{
	struct timespec time = {.tv_sec = (time_t)seconds};

	time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
	while (seconds > 0 && nanosleep(&time, &time) < 0 && errno == EINTR)
		;
}

/* Bytes behind an ELF file's sections change its checksum and nothing else. */
static int make_copy(const char *path, int number)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	struct stat status;
	int made = -1;

	if (from >= 0 && to >= 0 && fstat(from, &status) == 0 &&
	    sendfile(to, from, NULL, (size_t)status.st_size) == status.st_size &&
	    write(to, &number, sizeof(number)) == sizeof(number))
		made = 0;
	(void)close(from);
	(void)close(to);
	return made;
}

int main(int argc, char **argv)
{
	int count;
	double lifetime_ms;
	double rate;
	double started;
	char path[4096];

	if (argc == 2) {
		sleep_s(strtod(argv[1], NULL) / 1000);
		return 0;
	}
	if (argc != 5) {
		(void)fprintf(stderr,
			      "usage: short_lived COUNT LIFETIME_MS PER_SECOND DIRECTORY\n");
		return 2;
	}
	count = (int)strtol(argv[1], NULL, 10);
	lifetime_ms = strtod(argv[2], NULL);
	rate = strtod(argv[3], NULL);
	for (int i = 0; i < count; i++) {
		(void)snprintf(path, sizeof(path), "%s/p%05d", argv[4], i);
		if (make_copy(path, i) < 0) {
			perror(path);
			return 2;
		}
	}
	sleep_s(1); /* the files are there, nothing has run yet */
	started = now_s();
	for (int i = 0; i < count; i++) {
		char text[32];
		char *arguments[] = {path, text, NULL};
		pid_t pid;

		(void)snprintf(path, sizeof(path), "%s/p%05d", argv[4], i);
		(void)snprintf(text, sizeof(text), "%g", lifetime_ms);
		if (posix_spawn(&pid, path, NULL, NULL, arguments, environ) != 0) {
			perror(path);
			return 2;
		}
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		sleep_s(started + (i + 1) / rate - now_s());
	}
	(void)printf("%.3f\n", now_s() - started);
	while (wait(NULL) > 0)
		;
	return 0;
}
