/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROCESS_PROCESS_END_H
#define PROCESS_PROCESS_END_H

#include "process/process_image.h"

/* Ends a process, stopped or traced ones too, and nobody else: what it runs is looked at again
 * after a pidfd was opened. Returns 0, -ESRCH when it is gone or runs something else, or another
 * negative errno. */
int process_end(struct transient *transient, const struct process_image *image);

#endif
