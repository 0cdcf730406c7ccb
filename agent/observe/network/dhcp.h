/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_DHCP_H
#define OBSERVE_NETWORK_DHCP_H

#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/* DHCPv4 (RFC 2131, options RFC 2132), as far as it tells who plays which role. */

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68

enum dhcp_type { /* RFC 2132, 9.6 */
		 DHCP_OFFER = 2,
		 DHCP_ACK = 5,
};

#define DHCP_ADDRESSES_MAX 4

struct dhcp_message {
	uint8_t operation; /* 1 from a client, 2 from a server */
	uint8_t type;	   /* enum dhcp_type or another of RFC 2132's */
	uint32_t transaction;
	struct mac_address client_mac; /* zero when the hardware is not Ethernet */
	/* family 0 when absent */
	struct ip_address client; /* yiaddr, else ciaddr */
	struct ip_address server; /* option 54 */
	struct ip_address subnet_mask;
	struct ip_address broadcast; /* option 28 */
	size_t router_count;
	struct ip_address routers[DHCP_ADDRESSES_MAX];
	size_t resolver_count;
	struct ip_address resolvers[DHCP_ADDRESSES_MAX];
};

/* bytes: the UDP payload. Returns 0; -EBADMSG when malformed or not DHCP (plain BOOTP has no
 * message type). More addresses than fit are left out. */
int dhcp_message_parse(const uint8_t *bytes, size_t size, struct dhcp_message *ret_message);

#endif
