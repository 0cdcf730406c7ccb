/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_LOGIN_SESSION_H
#define OBSERVE_HOST_LOGIN_SESSION_H

#include <stdbool.h>
#include <sys/types.h>

/* What the search wants to know of a process. Returns false when there is none. */
struct session_process {
	pid_t parent; /* 0: none that can be seen from here */
	bool has_terminal;
};
typedef bool (*session_process_fn)(void *context, pid_t pid, struct session_process *ret_process);

/*
 * The process below which everything belongs to the login session that started `self`:
 *
 *   init - sshd - [sshd - sshd - bash - sudo - self]	a daemon without a terminal is not of the session
 *   init - [login - bash - self]			a child of init with a terminal is
 *   [sh - self]					entered a container from outside: no parent there
 *   init - self					started by a service manager: self alone
 */
pid_t login_session_root(session_process_fn look_up, void *context, pid_t self);

#endif
