/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_SETTINGS_H
#define KERNEL_SETTINGS_H

#include <stddef.h>

#include "base/error.h"

/*
 * Kernel settings (sysctl) that close what no layer sees: set on request, put back on stop. What
 * was there before is written down first, so that a restart after a crash still knows it.
 */
struct settings;

/* names: "memfd", "ptrace", "user-namespaces", "userfaultfd", "io-uring", "modules", "bpf"; "all".
 * state: the file that keeps the previous values. root: "" or a directory in which /proc/sys is
 * looked for (tests). Errors name the setting that is unknown or cannot be set. */
int settings_apply(const char *const *names, size_t count, const char *state, const char *root,
		   struct settings **ret_settings, struct error *error);

/* Puts back all that can be (some only harden until the next boot); NULL is allowed. Frees. */
void settings_restore(struct settings *settings);

/* Leaves them as they are. */
void settings_free(struct settings *settings);

/* Calls back for each: what it is and was. changed: 1 set, 0 was so already, negative errno. */
typedef void (*setting_fn)(void *context, const char *name, const char *sysctl, const char *before,
			   const char *now, int changed);
void settings_each(const struct settings *settings, setting_fn visit, void *context);

#endif
