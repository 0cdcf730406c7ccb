/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_SYSCTL_H
#define KERNEL_SYSCTL_H

#include "base/error.h"

/* Kernel settings that are one number. name: "kernel.yama.ptrace_scope"; root: "" or a directory in
 * which proc/sys is looked for (tests). */

/* Returns 0, -ENOENT where this kernel has it not, -EBADMSG for what is no number, or open(2)'s. */
int sysctl_read(const char *root, const char *name, long *ret_value);

int sysctl_write(const char *root, const char *name, long value);

#endif
