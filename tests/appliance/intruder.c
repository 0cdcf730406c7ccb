/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An intruder that leaves a trace: as a program the file that its argument names, as a library the
 * one that $INTRUDER_TRACE names, before the program that it slipped into begins. */
#include <fcntl.h>
#include <stdlib.h>

static int leave_trace(const char *path)
{
	return open(path, O_WRONLY | O_CREAT, 0644);
}

#ifdef INTRUDER_LIBRARY
static void __attribute__((constructor)) slip_in(void)
{
	const char *path = getenv("INTRUDER_TRACE");

	if (path)
		(void)leave_trace(path);
}
#else
int main(int argc, char **argv)
{
	return argc < 2 || leave_trace(argv[1]) < 0;
}
#endif
