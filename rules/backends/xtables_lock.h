/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_XTABLES_LOCK_H
#define BACKENDS_XTABLES_LOCK_H

#include "base/error.h"

/*
 * The lock under which everybody changes the legacy tables (iptables(8), -w): flock(2) on
 * /run/xtables.lock, or on the file that XTABLES_LOCKFILE names. The kernel takes a commit whose
 * snapshot has as many rules as the table, whatever they are: nothing but the lock keeps two
 * writers from undoing each other.
 */
#define XTABLES_LOCK_FILE    "/run/xtables.lock"
#define XTABLES_LOCK_WAIT_MS 10000u

/* Waits for at most that long. Errors: -EBUSY and who holds it; open(2)'s. The lock is given back
 * when ret_fd is closed. */
int xtables_lock(unsigned int wait_ms, int *ret_fd, struct error *error);

#endif
