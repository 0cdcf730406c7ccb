/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_OWN_NETWORK_H
#define TESTS_OWN_NETWORK_H

#include <stdbool.h>

/* Puts this process into a network namespace of its own, with its loopback interface up. False and
 * a printed reason where that cannot be had. Ends the process rather than going on in the machine's
 * own. */
bool own_network_enter(void);

/* Runs ip(8) or another command there; fails the test when it does. */
void own_network_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
