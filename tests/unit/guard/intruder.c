/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What unknown programs do in the tests:
 *   intruder wait            waits for ever
 *   intruder stop            stops itself, and waits for ever
 *   intruder leave           ends its first thread and goes on in another
 *   intruder chain N FILE    forks and ends, N times over; what is left makes FILE, and waits
 *   intruder breed N FILE    N children that wait; each makes FILE.NUMBER after 300 ms
 *   intruder trace MS FILE   makes FILE after that time, and ends
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void make(const char *path)
{
	(void)close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
}

static void pause_ms(long ms)
{
	const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	(void)nanosleep(&time, NULL);
}

static void *wait_for_ever(void *context)
{
	for (;;)
		(void)pause();
	return context;
}

static void chain(long length, const char *path)
{
	while (length-- > 0) {
		pid_t pid = fork();

		if (pid != 0)
			_exit(pid < 0);
	}
	make(path);
	(void)wait_for_ever(NULL);
}

static void breed(long count, const char *path)
{
	for (long i = 0; i < count; i++)
		if (fork() == 0) {
			char name[300];

			pause_ms(300);
			(void)snprintf(name, sizeof(name), "%s.%ld", path, i);
			make(name);
			(void)wait_for_ever(NULL);
		}
	(void)wait_for_ever(NULL);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "wait";
	long number = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	const char *path = argc > 3 ? argv[3] : "trace";
	pthread_t thread;

	if (strcmp(mode, "stop") == 0) {
		(void)raise(SIGSTOP);
	} else if (strcmp(mode, "leave") == 0) {
		if (pthread_create(&thread, NULL, wait_for_ever, NULL) == 0)
			pthread_exit(NULL);
	} else if (strcmp(mode, "chain") == 0) {
		chain(number, path);
	} else if (strcmp(mode, "breed") == 0) {
		breed(number, path);
	} else if (strcmp(mode, "trace") == 0) {
		pause_ms(number);
		make(path);
		return 0;
	}
	(void)wait_for_ever(NULL);
	return 0;
}
