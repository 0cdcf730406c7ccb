/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * repeat COUNT PER_SECOND COMMAND…: runs a command so often at that rate, up to 64 at a time, and
 * prints how many ended well.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "copies.h"

#define AT_A_TIME 64

extern char **environ;

/* Collects those that ended, at least one unless options say WNOHANG. */
static long reap(int *running, int options)
{
	long good = 0;
	int status;

	while (*running > 0 && waitpid(-1, &status, options) > 0) {
		(*running)--;
		good += WIFEXITED(status) && WEXITSTATUS(status) == 0;
		options = WNOHANG;
	}
	return good;
}

int main(int argc, char **argv)
{
	double started = now_s();
	double per_second;
	long good = 0;
	int running = 0;
	long count;

	if (argc < 4) {
		(void)fprintf(stderr, "usage: repeat COUNT PER_SECOND COMMAND…\n");
		return 2;
	}
	count = strtol(argv[1], NULL, 10);
	per_second = strtod(argv[2], NULL);
	for (long i = 0; i < count; i++) {
		pid_t pid;

		if (posix_spawn(&pid, argv[3], NULL, NULL, argv + 3, environ) != 0) {
			perror(argv[3]);
			return 2;
		}
		running++;
		good += reap(&running, running >= AT_A_TIME ? 0 : WNOHANG);
		sleep_s(started + (double)(i + 1) / per_second - now_s());
	}
	while (running > 0)
		good += reap(&running, 0);
	(void)printf("%ld\n", good);
	return 0;
}
