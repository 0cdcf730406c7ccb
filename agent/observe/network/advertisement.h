/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_ADVERTISEMENT_H
#define OBSERVE_NETWORK_ADVERTISEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/* An IPv6 router advertisement (RFC 4861, 4.2), as far as it tells who plays which role. */

#define ADVERTISEMENT_RESOLVERS_MAX 4

struct router_advertisement {
	bool is_default_router; /* its lifetime is not zero */
	size_t resolver_count;
	struct ip_address resolvers[ADVERTISEMENT_RESOLVERS_MAX]; /* RFC 8106, 5.1 */
};

/* bytes: the ICMPv6 message behind type, code and checksum. Returns 0 or -EBADMSG. */
int router_advertisement_parse(const uint8_t *bytes, size_t size,
			       struct router_advertisement *ret_advertisement);

#endif
