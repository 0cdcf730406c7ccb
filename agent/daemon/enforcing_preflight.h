/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_ENFORCING_PREFLIGHT_H
#define DAEMON_ENFORCING_PREFLIGHT_H

#include "daemon/enforcing_private.h"

/* Shows what would be stopped among what runs now, and how much was found in the last day, to
 * whoever decides. -ECANCELED when the answer is no. */
int enforcing_preflight(struct enforcing *enforcing, struct error *error);

#endif
