/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "privilege/system_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "base/cleanup.h"

/* Names, because which of them exist differs by architecture; the unknown ones are passed over. */
static const char *const allowed[] = {
	/* read what was handed in: recordings, the channel, a capture's ring */
	"read",
	"pread64",
	"lseek",
	"_llseek",
	"recvmsg",
	"recvfrom",
	"recv",
	"poll",
	"ppoll",
	"ppoll_time64",
	"close",
	"fstat",
	"fstat64",
	/* libpcap: PACKET_STATISTICS, SO_ERROR, whether the interface is still there */
	"getsockopt",
	"getsockname",
	"uname",
	/* memory */
	"brk",
	"munmap",
	"mremap",
	"madvise",
	"getrandom",
	"futex",
	"futex_time64",
	/* time, where the vDSO does not do it */
	"clock_gettime",
	"clock_gettime64",
	"gettimeofday",
	/* leave */
	"exit",
	"exit_group",
	"rt_sigreturn",
	"sigreturn",
	"rt_sigprocmask",
	"restart_syscall",
};

struct conditional {
	const char *name;
	unsigned int argument;
	enum scmp_compare compare;
	scmp_datum_t value; /* or the mask, for SCMP_CMP_MASKED_EQ with 0 */
};

static const struct conditional conditionals[] = {
	/* memory never becomes code */
	{"mmap", 2, SCMP_CMP_MASKED_EQ, PROT_EXEC},
	{"mmap2", 2, SCMP_CMP_MASKED_EQ, PROT_EXEC},
	{"mprotect", 2, SCMP_CMP_MASKED_EQ, PROT_EXEC},
	/* libpcap asks these after ENETDOWN */
	{"ioctl", 1, SCMP_CMP_EQ, SIOCGIFFLAGS},
	{"ioctl", 1, SCMP_CMP_EQ, SIOCGIFINDEX},
	{"ioctl", 1, SCMP_CMP_EQ, SIOCGIFNAME},
	/* fdopen(3) */
	{"fcntl", 1, SCMP_CMP_EQ, F_GETFL},
	{"fcntl64", 1, SCMP_CMP_EQ, F_GETFL},
};

static void release(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

static int allow_when(scmp_filter_ctx filter, const struct conditional *condition)
{
	int number = seccomp_syscall_resolve_name(condition->name);
	struct scmp_arg_cmp compare = {
		.arg = condition->argument, .op = condition->compare, .datum_a = condition->value};

	if (number == __NR_SCMP_ERROR)
		return 0;
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 1, &compare);
}

static int add_rules(scmp_filter_ctx filter, int channel)
{
	const struct conditional write_to_channel = {"write", 0, SCMP_CMP_EQ,
						     (scmp_datum_t)channel};
	int result = allow_when(filter, &write_to_channel);

	for (size_t i = 0; i < array_length(allowed) && result == 0; i++) {
		int number = seccomp_syscall_resolve_name(allowed[i]);

		if (number != __NR_SCMP_ERROR)
			result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	}
	for (size_t i = 0; i < array_length(conditionals) && result == 0; i++)
		result = allow_when(filter, &conditionals[i]);
	return result;
}

bool system_calls_are_confined(void)
{
	return true;
}

int system_calls_confine(int channel, struct error *error)
{
	/* Before Linux 4.14 only the calling thread can be ended; a worker has one. */
	uint32_t otherwise = seccomp_api_get() >= 3 ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_KILL_THREAD;
	_cleanup_(release) scmp_filter_ctx filter = seccomp_init(otherwise);
	int result;

	if (!filter)
		return error_set(error, ENOMEM, "cannot build the system call filter");
	result = add_rules(filter, channel);
	if (result == 0)
		result = seccomp_load(filter);
	if (result < 0)
		return error_set(error, -result,
				 "cannot load the system call filter: %s (the kernel needs "
				 "CONFIG_SECCOMP_FILTER; or build with -Dseccomp=disabled)",
				 strerror(-result));
	return 0;
}
