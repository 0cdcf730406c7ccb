/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_SOCKET_WATCH_PRIVATE_H
#define OBSERVE_HOST_SOCKET_WATCH_PRIVATE_H

#include "observe/host/socket_source.h"
#include "observe/host/socket_watch.h"

/* socket_watch_new() with the choice of where sockets are asked for, so that tests can have the one
 * that this machine would not choose. */
int socket_watch_new_from(enum socket_source_kind kind, struct loop *loop,
			  const struct socket_watch_config *config, struct socket_watch **ret_watch,
			  struct error *error);

#endif
