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

/* One call that the kernel would refuse, where its first and third argument are these. */
struct refusal {
	const char *part;
	int call;
	int error;
	unsigned int arguments; /* how many of the two count */
	scmp_datum_t first;
	scmp_datum_t third;
};

static const struct refusal refusals[] = {
	{"packet", SCMP_SYS(socket), EAFNOSUPPORT, 1, AF_PACKET, 0},
	{"connector", SCMP_SYS(socket), EPROTONOSUPPORT, 2, AF_NETLINK, NETLINK_CONNECTOR},
	{"inet-diag", SCMP_SYS(socket), EPROTONOSUPPORT, 2, AF_NETLINK, NETLINK_SOCK_DIAG},
	{"fanotify", SCMP_SYS(fanotify_init), ENOSYS, 0, 0, 0},
};

static int forbid(scmp_filter_ctx filter, const char *part)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *refusal = &refusals[i];
		struct scmp_arg_cmp arguments[] = {
			{.arg = 0, .op = SCMP_CMP_EQ, .datum_a = refusal->first},
			{.arg = 2, .op = SCMP_CMP_EQ, .datum_a = refusal->third},
		};

		if (strcmp(refusal->part, part) == 0)
			return seccomp_rule_add_array(filter,
						      SCMP_ACT_ERRNO((uint32_t)refusal->error),
						      refusal->call, refusal->arguments, arguments);
	}
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
