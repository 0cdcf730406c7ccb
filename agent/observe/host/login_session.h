/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_LOGIN_SESSION_H
#define OBSERVE_HOST_LOGIN_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What the search wants to know of a process. Returns false when there is none. */
struct session_process {
	pid_t parent; /* 0: none that can be seen from here */
	bool has_terminal;
	bool listens; /* holds a TCP socket that takes connections */
};
typedef bool (*session_process_fn)(void *context, pid_t pid, struct session_process *ret_process);

/*
 * The process below which everything belongs to the login session that started `self`. Going up
 * from self, the first process that serves others as well is above it: init, a child of init
 * without a terminal, or whoever takes connections (a daemon's processes for one connection have
 * closed that socket).
 *
 *   init - sshd - [sshd - sshd - bash - sudo - self]
 *   init - s6-svscan - s6-supervise - sshd - [sshd - bash - self]
 *   init - tmux - [bash - self]
 *   init - [login - bash - self]	a child of init with a terminal is of the session
 *   [sh - self]			entered a container from outside: no parent there
 *   init - [self]			started by a service manager: self alone, no session
 */
pid_t login_session_root(session_process_fn look_up, void *context, pid_t self);

/* The login session that started this program, in the terms that tell who is of it. */
struct login_session {
	pid_t self;
	pid_t root;	/* as login_session_root(); self: there is no session */
	pid_t outer;	/* POSIX session above root, which is others' as well; 0: none */
	uint32_t audit; /* audit session, if nobody above root is in it; else AUDIT_SESSION_UNSET */
};
struct login_session login_session_of_self(void);

#endif
