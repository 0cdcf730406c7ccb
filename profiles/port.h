/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILES_PORT_H
#define PROFILES_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "profiles/profile.h"

#define PORT_HIGH_FIRST 1024 /* below: system ports, RFC 6335 section 6 */
#define PORT_EPHEMERAL_FIRST                                                                       \
	32768 /* Linux' net.ipv4.ip_local_port_range; IANA's begins at 49152                       \
	       */

#define PORT_DNS     53
#define PORT_DNS_TLS 853 /* RFC 7858 section 3.1 */

/* TCP ports over which devices are attacked or steered; a class of peers on one of them is never
 * opened and PORT_HIGH does not cover them. */
bool port_is_tcp_service(uint16_t port);

/* Whether an entry's ports cover a flow's. number counts for PORT_NUMBER only. */
bool port_kind_covers(enum profile_port_kind kind, uint8_t protocol, uint16_t number,
		      uint16_t local_port, uint16_t remote_port);

/* What an entry says of ports, or of the type of ICMP messages. */
struct port_rule {
	enum profile_port_kind kind;
	uint16_t number;
	uint16_t local_port; /* 0: any */
	uint8_t icmp_type;
};

/* remote_port: the type, for ICMP and ICMPv6. Protocols with neither are covered. */
bool port_rule_covers(const struct port_rule *rule, uint8_t protocol, uint16_t local_port,
		      uint16_t remote_port);

#endif
