/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/gate_rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

static const unsigned int kept[] = {
	CAP_NET_ADMIN,	     /* rules, sets, verdicts, conntrack */
	CAP_NET_RAW,	     /* the socket over which iptables is spoken to */
	CAP_SYS_PTRACE,	     /* which program a socket's process runs */
	CAP_DAC_READ_SEARCH, /* and its descriptors */
	/* to make a reader that has less (privilege/sandbox.h), and to end it */
	CAP_SETUID,
	CAP_SETGID,
	CAP_SETPCAP,
	CAP_SYS_CHROOT,
	CAP_KILL,
};

static bool is_kept(unsigned long capability)
{
	for (size_t i = 0; i < array_length(kept); i++)
		if (kept[i] == capability)
			return true;
	return false;
}

int gate_rights_reduce(struct error *error)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct rights[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, rights) < 0)
		return error_set(error, errno, "cannot read capabilities: %s", strerror(errno));
	for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
	     capability++) {
		uint32_t bit = CAP_TO_MASK(capability);
		struct __user_cap_data_struct *part = &rights[CAP_TO_INDEX(capability)];

		if (is_kept(capability))
			continue;
		/* without root's rights there is nothing to be had back either */
		(void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
		part->effective &= ~bit;
		part->permitted &= ~bit;
		part->inheritable &= ~bit;
	}
	if (syscall(SYS_capset, &header, rights) < 0)
		return error_set(error, errno, "cannot give up capabilities: %s", strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set(error, errno, "cannot give up new privileges: %s",
				 strerror(errno));
	return 0;
}
