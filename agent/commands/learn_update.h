/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_LEARN_UPDATE_H
#define COMMANDS_LEARN_UPDATE_H

#include <stdbool.h>

/* learn --update PROFILE -o OUTPUT -- COMMAND…. Returns an exit code. */
int learn_update(const char *profile, const char *output, char *const *command, bool json);

#endif
