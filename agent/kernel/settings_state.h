/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_SETTINGS_STATE_H
#define KERNEL_SETTINGS_STATE_H

#include <stddef.h>

#include "base/error.h"
#include "kernel/setting_table.h"

/* More than there are settings, each with all its ways. */
#define SETTINGS_MAX 32
#define BOOT_ID_SIZE 40

/* What the kernel was set to before the first change: kept in a file until it is put back. It
 * holds for one boot; the next one begins with its own values. */
struct settings_state {
	char boot[BOOT_ID_SIZE];
	size_t count;
	struct {
		const struct setting_way *way;
		long value;
	} previous[SETTINGS_MAX];
};

/* An empty one for the boot that is now. */
void settings_state_begin(const char *root, struct settings_state *ret_state);

void settings_state_add(struct settings_state *state, const struct setting_way *way, long value);

/* Whether the state knows a previous value. */
const long *settings_state_find(const struct settings_state *state, const struct setting_way *way);

/* bytes: NUL-terminated. -EINVAL, with the line, for what no settings_state_write() wrote. */
int settings_state_parse(const char *bytes, size_t size, struct settings_state *ret_state,
			 struct error *error);

/* Missing, or of an earlier boot: an empty one. */
int settings_state_read(const char *path, const char *root, struct settings_state *ret_state,
			struct error *error);

/* One without values removes the file. */
int settings_state_write(const struct settings_state *state, const char *path, struct error *error);

#endif
