/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_DNS_SERVICE_H
#define OBSERVE_NETWORK_DNS_SERVICE_H

#include <stddef.h>
#include <stdint.h>

/* RFC 9460 section 14.1; libc's header is older */
#define DNS_TYPE_SVCB  64
#define DNS_TYPE_HTTPS 65

/* The address hints of one SVCB or HTTPS record. They point into its data; sizes are in bytes,
 * whole addresses, 0 without a hint. */
struct dns_service {
	const uint8_t *ipv4_hints;
	size_t ipv4_size;
	const uint8_t *ipv6_hints;
	size_t ipv6_size;
};

/* The record's data, RFC 9460 section 2.2. Returns 0, or -EBADMSG for what a client has to reject.
 */
int dns_service_parse(const uint8_t *bytes, size_t size, struct dns_service *ret_service);

#endif
