/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_SOCKET_VERDICT_H
#define OBSERVE_HOST_SOCKET_VERDICT_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * What the programs of all processes that hold one socket amount to. Zero-initialised is "no
 * holder"; socket_verdict_clear() releases it.
 */
struct socket_verdict {
	char *manager; /* program of pid 1, if that holds the socket */
	char *program; /* of the others */
	bool differ;   /* the others run different programs, or one that can't be known */
	bool left_out; /* rtguard or the excluded session is among the holders */
	bool held;     /* anybody at all */
};

/* Adds one holder. program: NULL if it can't be known, though the process is there; a copy is kept.
 * Returns 0 or -ENOMEM. */
int socket_verdict_add(struct socket_verdict *verdict, pid_t pid, const char *program,
		       bool left_out);
void socket_verdict_clear(struct socket_verdict *verdict);

/* The one program, or NULL if different ones hold the socket or none is known: never a guess. A
 * service manager keeps the sockets that it hands to its services (socket activation), so that pid
 * 1 counts only when nobody else holds the socket. *ret_left_out: nobody but those left out (and
 * the manager) does. */
const char *socket_verdict_program(const struct socket_verdict *verdict, bool *ret_left_out);

#endif
