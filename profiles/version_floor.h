/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILES_VERSION_FLOOR_H
#define PROFILES_VERSION_FLOOR_H

#include <stdint.h>

#include "base/error.h"

/*
 * The highest version of a signed profile that was ever in force on this machine, in a file of one
 * line: older ones are refused (signature_check_version()). Both open paths and write: not for a
 * process that must not wait for itself.
 */

/* 0 where there is no file yet. -EBADMSG: it is there and holds no version, which must not pass for
 * none. */
int version_floor_read(const char *path, uint64_t *ret_version, struct error *error);

/* Never lowers it. Makes the file's directory if that is missing. */
int version_floor_raise(const char *path, uint64_t version, struct error *error);

#endif
