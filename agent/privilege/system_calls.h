/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PRIVILEGE_SYSTEM_CALLS_H
#define PRIVILEGE_SYSTEM_CALLS_H

#include <stdbool.h>

#include "base/error.h"

/*
 * The last step of becoming a worker: from here on only what it takes to read captures from open
 * descriptors, keep memory and write to the channel; anything else ends the process (SIGSYS). No
 * way to open, connect, execute, signal, or send a packet on a capture's socket.
 *
 * Two files implement this: system_calls.c with libseccomp, system_calls_off.c where it is missing,
 * or where a sanitizer has to make calls of its own.
 */
bool system_calls_are_confined(void);

/* channel: the only descriptor that may be written to. Returns 0 or negative errno. */
int system_calls_confine(int channel, struct error *error);

#endif
