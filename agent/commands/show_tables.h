/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_SHOW_TABLES_H
#define COMMANDS_SHOW_TABLES_H

#include "commands/table.h"
#include "profiles/profile.h"

/* A profile for a person. all: list libraries, and checksums in full. 0 or -ENOMEM. */
int show_tables(const struct profile *profile, bool all, const struct table_style *style,
		FILE *out);

/* show_summary.c: the lines on top, what it is and how far to trust it. */
void show_summary(const struct profile *profile, const struct table_style *style, FILE *out);

#endif
