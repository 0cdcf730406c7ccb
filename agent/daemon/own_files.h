/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_OWN_FILES_H
#define DAEMON_OWN_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* rtguard's own program and what the loader mapped with it: content that must always run, or nobody
 * could ask rtguard anything any more. */
struct own_files {
	uint8_t (*sha256)[32];
	uint32_t *uses; /* enum content_use */
	size_t count;
	size_t capacity;
};

/* From /proc/self/maps. To be cleared with own_files_free(). */
int own_files_read(struct own_files *own, struct error *error);
void own_files_free(struct own_files *own);

#endif
