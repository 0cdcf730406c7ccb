/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The unknown program. With "wait" it stays until ./go appears. Built dynamic, static and as a
 * static PIE.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *trace = getenv("TRACE");

	if (argc > 1 && !strcmp(argv[1], "wait"))
		while (access("go", F_OK))
			usleep(20000);
	return trace && symlink("an unknown program", trace) ? 1 : 0;
}
