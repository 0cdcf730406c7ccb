/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROGRAM_ENVIRONMENT_H
#define PROGRAM_ENVIRONMENT_H

#include <stdbool.h>

/* At most this many bytes of a variable say what it is. */
#define ENVIRONMENT_NAME_SIZE 32

/*
 * Whether a variable ("NAME=value", perhaps cut) makes that interpreter run code that is in no file
 * of its own: in the variable itself (PERL5DB, functions of bash), in its standard input
 * (PYTHONINSPECT), or in whatever it names, which may be a pipe (BASH_ENV). path: the program's
 * file.
 */
bool environment_brings_code(const char *path, const char *variable);

#endif
