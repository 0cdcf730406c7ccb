/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_LINK_WATCH_H
#define OBSERVE_NETWORK_LINK_WATCH_H

#include <stdbool.h>

#include "loop/loop.h"

/*
 * Calls back when interfaces come, go or change state (rtnetlink), and once a second in any case:
 * for as long as somebody waits for an interface, and not otherwise.
 */
struct link_watch;

typedef void (*link_watch_fn)(void *context);

/* Returns 0 or negative errno. */
int link_watch_new(struct loop *loop, link_watch_fn changed, void *context,
		   struct link_watch **ret_watch);
void link_watch_free(struct link_watch *watch);

/* Whether an interface is there and up; "any" always is. */
bool link_is_up(const char *interface);

#endif
