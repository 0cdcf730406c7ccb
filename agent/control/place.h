/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONTROL_PLACE_H
#define CONTROL_PLACE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* Within control/ only: the socket file, which one server at a time holds. */
struct control_place {
	int listener;
	char *path; /* owned */
	dev_t device;
	ino_t inode;
};

/* Makes the directory, the socket (mode 0600), and listens. -EADDRINUSE: a server lives there. */
int control_place_take(struct control_place *place, const char *path, struct error *error);

/* Closes, and removes the file unless another has taken the place. */
void control_place_leave(struct control_place *place);

/* Whether that process holds a socket that listens at path. True also where /proc cannot tell. */
bool control_place_is_held(const char *path, pid_t pid);

/* -ENAMETOOLONG: longer than a socket's address. */
struct sockaddr_un;
int control_address(const char *path, struct sockaddr_un *ret_address);

#endif
