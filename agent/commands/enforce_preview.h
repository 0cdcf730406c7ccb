/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_ENFORCE_PREVIEW_H
#define COMMANDS_ENFORCE_PREVIEW_H

#include <stdio.h>

#include "daemon/enforcing.h"

/* What enforcement would stop now, for whoever decides whether to begin. */
void enforce_preview_print(const struct enforcing_preview *preview, FILE *out);

#endif
