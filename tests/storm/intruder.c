/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program that leaves a trace: the file that its argument names. */
#include <fcntl.h>

int main(int argc, char **argv)
{
	return argc < 2 || open(argv[1], O_WRONLY | O_CREAT, 0600) < 0;
}
