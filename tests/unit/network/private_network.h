/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_PRIVATE_NETWORK_H
#define TESTS_PRIVATE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

/* A network namespace of the test's own, without any traffic but the test's. */

/* Moves this process into a new one. Returns false, and says why, where that is not possible. */
bool private_network_enter(void);

/* A veth pair NAME and NAMEp, both up: what is sent on one arrives on the other. */
void private_network_add(const char *name);
void private_network_remove(const char *name);
void private_network_set_up(const char *name, bool up);

/* Removes all that are left from a test that failed. */
void private_network_clear(void);

/* A socket to write whole frames to, to be closed by the caller. */
int private_network_open(const char *name);

/* Sends one frame on an interface. */
void private_network_send(const char *name, const void *frame, size_t size);

#endif
