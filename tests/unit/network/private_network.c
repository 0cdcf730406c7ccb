/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "private_network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void run(const char *format, ...)
{
	char command[256];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

bool private_network_enter(void)
{
	int fd;

	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
		print_message("needs root for a network namespace of its own: %s\n",
			      geteuid() ? "not root" : strerror(errno));
		return false;
	}
	if (system("ip link set lo up") != 0) {
		print_message("needs the ip command (iproute2)\n");
		return false;
	}
	/* no router solicitations and the like in between */
	fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		(void)!write(fd, "1", 1);
		(void)close(fd);
	}
	return true;
}

void private_network_add(const char *name)
{
	run("ip link add %s type veth peer name %sp", name, name);
	private_network_set_up(name, true);
	run("ip link set %sp up", name);
}

void private_network_remove(const char *name)
{
	run("ip link del %s", name);
}

void private_network_set_up(const char *name, bool up)
{
	run("ip link set %s %s", name, up ? "up" : "down");
}

void private_network_clear(void)
{
	struct if_nameindex *all = if_nameindex();

	for (size_t i = 0; all && all[i].if_index; i++) {
		if (strcmp(all[i].if_name, "lo") != 0 && if_nametoindex(all[i].if_name))
			private_network_remove(all[i].if_name);
	}
	if_freenameindex(all);
}

int private_network_open(const char *name)
{
	const struct sockaddr_ll address = {.sll_family = AF_PACKET,
					    .sll_ifindex = (int)if_nametoindex(name)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		fail_msg("cannot open %s: %s", name, strerror(errno));
	return fd;
}

void private_network_send(const char *name, const void *frame, size_t size)
{
	_cleanup_(closep) int fd = private_network_open(name);

	if (write(fd, frame, size) != (ssize_t)size)
		fail_msg("cannot send on %s: %s", name, strerror(errno));
}
