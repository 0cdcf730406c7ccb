/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * short_lived COUNT LIFETIME_MS PER_SECOND DIRECTORY: distinct programs that live LIFETIME_MS, each
 * started once. Prints the seconds that starting took. With one argument it is such a program.
 */
#include <stdio.h>
#include <stdlib.h>

#include "copies.h"

static void lifetime(void *context, int i, char texts[4][64])
{
	(void)i;
	(void)snprintf(texts[0], sizeof(texts[0]), "%s", (const char *)context);
}

int main(int argc, char **argv)
{
	double took;

	if (argc == 2) {
		sleep_s(strtod(argv[1], NULL) / 1000);
		return 0;
	}
	if (argc != 5) {
		(void)fprintf(stderr,
			      "usage: short_lived COUNT LIFETIME_MS PER_SECOND DIRECTORY\n");
		return 2;
	}
	if (copies_make(argv[4], (int)strtol(argv[1], NULL, 10)) < 0)
		return 2;
	sleep_s(1); /* the files are there, nothing has run yet */
	took = copies_start(argv[4], (int)strtol(argv[1], NULL, 10), strtod(argv[3], NULL),
			    lifetime, argv[2]);
	(void)printf("%.3f\n", took);
	return took < 0 ? 2 : 0;
}
