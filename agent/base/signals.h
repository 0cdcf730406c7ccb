/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

#include <signal.h>

/* Every signal there is: sigfillset(3) leaves out two that the C library keeps for itself, and that
 * end a process like others when they come from outside. Good for ppoll(2), which takes it as is.
 */
void signals_fill(sigset_t *ret_set);

/* Blocks them all in the calling thread; KILL and STOP cannot be. */
void signals_block_all(void);

#endif
