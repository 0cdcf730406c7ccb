/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_CAPABILITIES_H
#define KERNEL_CAPABILITIES_H

#include <stddef.h>

#include "base/error.h"

/*
 * What a kernel offers for enforcement: asked from the running one by trying, or read offline from
 * its configuration file for a firmware that is still being built. Each capability says which ways
 * around stay open without it, and which option or setting closes them.
 */
enum capability {
	CAPABILITY_FANOTIFY_PERMISSION, /* CONFIG_FANOTIFY_ACCESS_PERMISSIONS */
	CAPABILITY_FANOTIFY_EXEC,	/* FAN_OPEN_EXEC_PERM, Linux 5.0 */
	CAPABILITY_FANOTIFY_FILESYSTEM, /* FAN_MARK_FILESYSTEM, Linux 4.20 */
	CAPABILITY_FANOTIFY_EVICTABLE,	/* FAN_MARK_EVICTABLE, Linux 5.19 */
	CAPABILITY_PROCESS_CONNECTOR,	/* CONFIG_PROC_EVENTS, initial namespaces */
	CAPABILITY_PIDFD,		/* pidfd_open, Linux 5.3 */
	CAPABILITY_EXEC_ARGUMENTS,	/* argv of an exec that waits: mm access without
					   cred_guard_mutex, Linux 5.11 */
	CAPABILITY_MEMFD_NOEXEC,	/* vm.memfd_noexec, Linux 6.3 */
	CAPABILITY_PTRACE_SCOPE,	/* kernel.yama.ptrace_scope */
	CAPABILITY_USER_NAMESPACES,	/* can be switched off */
	CAPABILITY_USERFAULTFD,
	CAPABILITY_IO_URING,
	CAPABILITY_MODULE_LOADING,
	CAPABILITY_BPF,
	CAPABILITY_KEXEC,
	CAPABILITY_PROCESS_MEMORY, /* /proc/self/mem does not write where the process may not:
				      proc_mem.force_override, Linux 6.12 */
	CAPABILITY_WRITE_EXECUTE,  /* ETXTBSY: not so on 6.11 to early 6.12 */
	CAPABILITY_COUNT,
};

enum capability_state {
	CAPABILITY_ON,	    /* there, and in use or set so that the gap is closed */
	CAPABILITY_OFF,	    /* there, and not set: a setting closes the gap */
	CAPABILITY_MISSING, /* this kernel has it not */
	CAPABILITY_UNKNOWN, /* offline: depends on how it is run; or it needs privileges to try */
};

struct capability_finding {
	enum capability capability;
	enum capability_state state;
	const char *name;
	const char *what;   /* what it is for */
	const char *open;   /* what stays open without it; NULL when ON */
	const char *remedy; /* kernel option or setting; NULL when ON */
	char detail[160];   /* what was seen: an errno, a value */
};

/* Tries without changing anything and without making anybody wait. */
void capabilities_probe(struct capability_finding ret_findings[CAPABILITY_COUNT]);

/* From a file like /boot/config-VERSION; "-" is standard input. What is compressed
 * (/proc/config.gz) is refused, with how to unpack it. release: NULL takes it from the file's
 * heading. What a setting or a privilege decides is UNKNOWN then. */
int capabilities_from_config(const char *path, const char *release,
			     struct capability_finding ret_findings[CAPABILITY_COUNT],
			     struct error *error);

#endif
