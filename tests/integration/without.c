/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * without packet|connector|fanotify|inet-diag COMMAND…: runs a command as if the kernel had been
 * built without that part: a system call filter makes the call fail with the error that such a
 * kernel gives.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int forbid(scmp_filter_ctx filter, const char *part)
{
	if (strcmp(part, "packet") == 0)
		return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
					SCMP_A0(SCMP_CMP_EQ, AF_PACKET));
	if (strcmp(part, "connector") == 0)
		return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPROTONOSUPPORT), SCMP_SYS(socket),
					2, SCMP_A0(SCMP_CMP_EQ, AF_NETLINK),
					SCMP_A2(SCMP_CMP_EQ, NETLINK_CONNECTOR));
	if (strcmp(part, "inet-diag") == 0)
		return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPROTONOSUPPORT), SCMP_SYS(socket),
					2, SCMP_A0(SCMP_CMP_EQ, AF_NETLINK),
					SCMP_A2(SCMP_CMP_EQ, NETLINK_SOCK_DIAG));
	if (strcmp(part, "fanotify") == 0)
		return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(fanotify_init), 0);
	return -EINVAL;
}

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (argc < 3 || !filter || forbid(filter, argv[1]) < 0 || seccomp_load(filter) < 0) {
		(void)fprintf(stderr,
			      "usage: without packet|connector|fanotify|inet-diag COMMAND…\n");
		return 125;
	}
	(void)execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
