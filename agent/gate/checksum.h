/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_CHECKSUM_H
#define GATE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/* The Internet checksum (RFC 1071), as the number that goes into the packet in network order. */
uint16_t checksum_of(const uint8_t *bytes, size_t size);

/* The same over a transport header and what is behind it, with the pseudo-header of its addresses'
 * family (RFC 9293 section 3.1, RFC 768, RFC 8200 section 8.1). With the checksum in place it is 0.
 */
uint16_t checksum_of_transport(const struct ip_address *source,
			       const struct ip_address *destination, uint8_t protocol,
			       const uint8_t *bytes, size_t size);

#endif
