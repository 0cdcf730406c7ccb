/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_GUARD_STAGE_H
#define TESTS_GUARD_STAGE_H

/* Runs the tests in a mount and pid namespace of their own, with their own /proc and a tmpfs on
 * /mnt, as its process 2 or later; whatever is left when they end is killed with the namespace.
 * Returns the exit status; 77, said aloud, without root. */
int stage_run(int (*tests)(void), unsigned int timeout_s);

#endif
