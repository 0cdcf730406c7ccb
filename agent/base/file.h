/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* Reads a whole regular file of at most limit bytes. The bytes are NUL-terminated (not counted) and
 * freed by the caller. Errors: open(2)'s, -EISDIR, -EFBIG beyond the limit, -ENOMEM. */
int file_read(const char *path, size_t limit, char **ret_bytes, size_t *ret_size,
	      struct error *error);

/* Whether file_replace() could do its work there, tried by making and removing a file beside it. */
int file_check_replaceable(const char *path, struct error *error);

/* Replaces path in one step: a temporary file beside it, written, synced, renamed over it,
 * directory synced. Either the old or the new content is there, whatever happens. A file that was
 * there keeps its mode and, where that is allowed, its owner; a symbolic link stays one. */
int file_replace(const char *path, const void *bytes, size_t size, struct error *error);

/* Makes a directory, and those above it, with that mode; one that is there is left as it is.
 * Errors: mkdir(2)'s, -ENOTDIR. */
int directory_make(const char *path, mode_t mode, struct error *error);

/* Reads on to the end, or as far as there is room: at most size - 1 bytes, NUL-terminated. Returns
 * the length or negative errno. */
ssize_t read_text(int fd, char *bytes, size_t size);

/* All bytes or an error; interrupted and short writes are continued. 0 or negative errno. */
int write_all(int fd, const void *bytes, size_t size);

#endif
