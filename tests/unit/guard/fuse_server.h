/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_GUARD_FUSE_SERVER_H
#define TESTS_GUARD_FUSE_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

/* A filesystem served by a child, with one executable file in it: "program", a copy of another. */
struct fuse_server {
	pid_t pid;
};

/* never_opens: it takes requests to open the file and does not answer them. Returns 0, or -errno
 * where there is no FUSE. */
int fuse_server_start(struct fuse_server *server, const char *directory, const char *program,
		      bool never_opens);

/* Ends the connection: whoever waits gets an error. */
void fuse_server_end(struct fuse_server *server, const char *directory);

#endif
