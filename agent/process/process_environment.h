/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROCESS_PROCESS_ENVIRONMENT_H
#define PROCESS_PROCESS_ENVIRONMENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "process/transient.h"

/*
 * Whether the process was started with a variable that makes the interpreter at path run code of
 * its own (program/environment.h). What cannot be read brings none: the process is on its way out,
 * or has overwritten it, and whoever runs already is judged by its arguments.
 *
 * Before Linux 5.11 it waits for a lock that an exec in progress holds.
 */
bool process_environment_brings_code(struct transient *transient, pid_t pid, const char *path);

#endif
