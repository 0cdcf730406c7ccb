/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_DEVICE_H
#define DAEMON_DEVICE_H

#include "profiles/profile.h"

/* Fills the profile's device part with what this machine says of itself. What cannot be known stays
 * NULL. Returns 0 or -ENOMEM. */
int device_describe(struct profile *profile);

#endif
