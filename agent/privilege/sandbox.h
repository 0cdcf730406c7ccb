/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PRIVILEGE_SANDBOX_H
#define PRIVILEGE_SANDBOX_H

#include <sys/types.h>

#include "base/error.h"

/*
 * What an unprivileged worker becomes, in this process and for good: a user of its own without
 * groups and without capabilities (bounding set included), an empty root directory that no longer
 * has a name, network and IPC namespaces with nothing in them where the kernel has them, no new
 * privileges, not dumpable, and limits under which it can start no process and write no file.
 *
 * Without root the steps that need it are left out: user and root directory stay the caller's, and
 * the file system is closed with Landlock where the kernel has it (the system call filter closes it
 * in any case). As root every step must succeed. Returns 0 or negative errno.
 */
int sandbox_enter(struct error *error);

/* User and group for workers: "rtguard" of /etc/passwd, else the first number of systemd's range
 * for dynamic users (61184 to 65519) that neither /etc/passwd nor /etc/group knows. No name service
 * is asked. Returns 0 or -ENOENT. */
int sandbox_user(uid_t *ret_user, gid_t *ret_group);

#endif
