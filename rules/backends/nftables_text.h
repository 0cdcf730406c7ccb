/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_NFTABLES_TEXT_H
#define BACKENDS_NFTABLES_TEXT_H

#include <stdbool.h>

#include "base/error.h"

/* Hands the text to libnftables as one transaction. trial: the kernel looks at it, and nothing
 * stays. Errors are those that the kernel gave, with the line it did not like. */
int nftables_text_run(const char *text, bool trial, struct error *error);

/* Whether the kernel has all that rules may need; else -EOPNOTSUPP and what is missing: what it is
 * for, and the kernel option. Leaves nothing behind. */
int nftables_probe(struct error *error);

#endif
