/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sweep SECONDS: what a learner without kernel events could do at best: walks /proc without pause
 * and prints each distinct executable path once.
 */
#include <ctype.h>
#include <dirent.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void *seen;

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void sweep(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		char link[300];
		char path[4096];
		ssize_t length;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		(void)snprintf(link, sizeof(link), "/proc/%s/exe", entry->d_name);
		length = readlink(link, path, sizeof(path) - 1);
		if (length < 0)
			continue;
		path[length] = '\0';
		if (!tfind(path, &seen, compare)) {
			(void)tsearch(strdup(path), &seen, compare);
			(void)puts(path);
		}
	}
	if (proc)
		(void)closedir(proc);
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? strtol(argv[1], NULL, 10) : 10);

	while (time(NULL) < end)
		sweep();
	return 0;
}
