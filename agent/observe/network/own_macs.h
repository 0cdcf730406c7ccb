/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_OWN_MACS_H
#define OBSERVE_NETWORK_OWN_MACS_H

#include <stddef.h>

#include "base/address.h"

/* The Ethernet addresses of this host's interfaces as they are now: what tells, in a capture on one
 * interface, which frames are ours. Fills at most limit and returns how many; 0 also when the
 * kernel does not say. */
size_t own_macs_read(struct mac_address *macs, size_t limit);

#endif
