/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROCESS_TRANSIENT_H
#define PROCESS_TRANSIENT_H

#include <stdint.h>

/*
 * Descriptors that are open for a moment, noted where the next worker finds them: the guard shares
 * its descriptor table with the supervisor, which it may be killed beside between any two
 * instructions. Everywhere NULL stands for a table of one's own, which ends with its process.
 */
#define TRANSIENT_LIMIT 4

struct transient {
	int32_t fds[TRANSIENT_LIMIT]; /* 0: none */
};

int transient_open(struct transient *transient, const char *path,
		   int flags);				 /* or negative errno */
int transient_keep(struct transient *transient, int fd); /* notes one; returns it */
void transient_close(struct transient *transient, int fd);

/* What a worker that was killed left open. */
void transient_close_all(struct transient *transient);

#endif
