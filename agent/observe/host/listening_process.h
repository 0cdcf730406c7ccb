/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_LISTENING_PROCESS_H
#define OBSERVE_HOST_LISTENING_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether the process holds a listening TCP socket, by /proc/PID/fd and /proc/PID/net/tcp (and
 * tcp6) of its own network namespace. false also when that may not be read. */
bool process_listens(pid_t pid);

#endif
