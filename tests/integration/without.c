/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * without PART COMMAND…: runs a command as if the kernel had been built without that part: a system
 * call filter makes the call fail with the error that such a kernel gives.
 */
#include <errno.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netlink.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One call that the kernel would refuse, where its first and third argument are these. */
struct refusal {
	const char *part;
	int call;
	int error;
	enum { WHATEVER = 0, FIRST = 1 << 0, THIRD = 1 << 1 } counts;
	scmp_datum_t first;
	scmp_datum_t third;
};

static const struct refusal refusals[] = {
	{"packet", SCMP_SYS(socket), EAFNOSUPPORT, FIRST, AF_PACKET, 0},
	{"connector", SCMP_SYS(socket), EPROTONOSUPPORT, FIRST | THIRD, AF_NETLINK,
	 NETLINK_CONNECTOR},
	{"inet-diag", SCMP_SYS(socket), EPROTONOSUPPORT, FIRST | THIRD, AF_NETLINK,
	 NETLINK_SOCK_DIAG},
	{"netfilter", SCMP_SYS(socket), EPROTONOSUPPORT, FIRST | THIRD, AF_NETLINK,
	 NETLINK_NETFILTER},
	{"iptables", SCMP_SYS(getsockopt), ENOPROTOOPT, THIRD, 0, IPT_SO_GET_INFO},
	{"fanotify", SCMP_SYS(fanotify_init), ENOSYS, WHATEVER, 0, 0},
};

static int forbid(scmp_filter_ctx filter, const char *part)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *refusal = &refusals[i];
		struct scmp_arg_cmp arguments[2];
		unsigned int count = 0;

		if (strcmp(refusal->part, part) != 0)
			continue;
		if (refusal->counts & FIRST)
			arguments[count++] = SCMP_A0(SCMP_CMP_EQ, refusal->first);
		if (refusal->counts & THIRD)
			arguments[count++] = SCMP_A2(SCMP_CMP_EQ, refusal->third);
		return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((uint32_t)refusal->error),
					      refusal->call, count, arguments);
	}
	return -EINVAL;
}

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (argc < 3 || !filter || forbid(filter, argv[1]) < 0 || seccomp_load(filter) < 0) {
		(void)fprintf(
			stderr,
			"usage: without packet|connector|inet-diag|netfilter|iptables|fanotify "
			"COMMAND…\n");
		return 125;
	}
	(void)execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
