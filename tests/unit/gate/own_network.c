/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "own_network.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

bool own_network_enter(void)
{
	struct stat before, machine, own;

	if (geteuid() != 0 || stat("/proc/self/ns/net", &before) < 0 || unshare(CLONE_NEWNET) < 0) {
		print_message("needs root for a network namespace of its own: %s\n",
			      geteuid() ? "not root" : strerror(errno));
		return false;
	}
	if (stat("/proc/self/ns/net", &own) < 0 || own.st_ino == before.st_ino ||
	    (stat("/proc/1/ns/net", &machine) == 0 && machine.st_ino == own.st_ino)) {
		print_message("still in the machine's own network namespace\n");
		abort();
	}
	if (system("ip link set lo up") != 0) {
		print_message("needs the ip command (iproute2)\n");
		return false;
	}
	return true;
}

void own_network_run(const char *format, ...)
{
	char command[256];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}
