/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_SOCKET_HOLDER_H
#define OBSERVE_HOST_SOCKET_HOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "observe/host/execution_watch.h"

/*
 * Which program holds a socket, known by its inode: a search through the descriptors of processes
 * in /proc. The youngest come first because short-lived clients are young, then those that owned
 * something lately, then all others.
 */
struct socket_holder;

/* One socket to look for. */
struct socket_search {
	uint32_t inode;
	uint64_t time_ns; /* when it was used, since 1970: whoever came to it later is no answer; 0:
			     now */
	/* filled by the search */
	char *program; /* freed by the caller; NULL: not found, or different programs hold it */
	pid_t pid;     /* of the process that runs it, one of those that do; 0: not found */
	bool left_out; /* nobody but rtguard or the excluded session holds it */
};

enum socket_search_depth {
	SOCKET_SEARCH_QUICK,	/* until found, then its ancestors, who may hold it too */
	SOCKET_SEARCH_THOROUGH, /* all processes */
};

/* executions may be NULL. Returns 0 or -ENOMEM. */
int socket_holder_new(struct execution_watch *executions, struct socket_holder **ret_holder);
void socket_holder_free(struct socket_holder *holder);

/* Searching may take one part in `divisor` of one processor, and at most that long in one go. By
 * itself it is 1/33 and 300 ms: for who watches. */
void socket_holder_allow(struct socket_holder *holder, unsigned int divisor, uint64_t most_ns);

/* Looks for all of them in one pass. When searching has taken more than its share of the
 * processor lately, a thorough search becomes a quick one, and a quick one ends early. Returns 0 or
 * -ENOMEM. */
int socket_holder_find(struct socket_holder *holder, enum socket_search_depth depth,
		       struct socket_search *searches, size_t count);

#endif
