/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUARD_PROCESS_KILL_H
#define GUARD_PROCESS_KILL_H

#include <sys/types.h>

#include "guard/desk.h"

/* Ends a process that still runs the image, checked again after there is a pidfd: a pid that was
 * used anew is never hit. Returns 0, -ESRCH when it is gone or runs something else, or another
 * negative errno. */
int process_kill(struct desk *desk, pid_t pid, const struct file_key *image);

#endif
