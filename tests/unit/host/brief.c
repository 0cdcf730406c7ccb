/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lives as many milliseconds as its argument says, and needs a library of its own. */
#include <stdlib.h>
#include <unistd.h>

int probe(void);

int main(int argc, char **argv)
{
	return usleep((useconds_t)(argc > 1 ? atoi(argv[1]) : 0) * 1000) + probe();
}
