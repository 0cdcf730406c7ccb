/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_CONFIG_H
#define KERNEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "kernel/release.h"

/* The options of a kernel's configuration that decide what it offers us. */
enum kernel_option {
	OPTION_NONE,
	OPTION_FANOTIFY,
	OPTION_FANOTIFY_ACCESS_PERMISSIONS,
	OPTION_CONNECTOR,
	OPTION_PROC_EVENTS,
	OPTION_CROSS_MEMORY_ATTACH,
	OPTION_HAVE_ARCH_TRACEHOOK,
	OPTION_MEMFD_CREATE,
	OPTION_SYSCTL,
	OPTION_SECURITY_YAMA,
	OPTION_USER_NS,
	OPTION_USERFAULTFD,
	OPTION_IO_URING,
	OPTION_MODULES,
	OPTION_MODULE_SIG_FORCE,
	OPTION_KEXEC_CORE,
	OPTION_BPF_SYSCALL,
	OPTION_BPF_UNPRIV_DEFAULT_OFF,
	OPTION_PROC_MEM_NO_FORCE,
	OPTION_COUNT,
};

struct kernel_config {
	struct kernel_release release; /* of the heading; none when it says nothing */
	bool set[OPTION_COUNT];	       /* built in or as a module */
};

/* "CONFIG_FANOTIFY" */
const char *kernel_option_name(enum kernel_option option);

/* The text of a configuration (.config, /boot/config-VERSION; not compressed). Errors name the
 * line: -EINVAL. */
int kernel_config_parse(const char *text, size_t size, struct kernel_config *ret_config,
			struct error *error);

/* path: "-" is standard input. */
int kernel_config_read(const char *path, struct kernel_config *ret_config, struct error *error);

/* The configuration of the running kernel, where it lies open in /boot or /lib/modules. */
int kernel_config_running(struct kernel_config *ret_config);

#endif
