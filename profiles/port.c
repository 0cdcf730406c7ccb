/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/port.h"

#include <netinet/in.h>
#include <stddef.h>

#include "base/cleanup.h"

/* Sorted. Proxies, databases, remote control, web consoles, container engines, home routers'
 * TR-069. */
static const uint16_t tcp_services[] = {
	1080, 1433, 1521, 1883, 2049, 2323, 2375, 2376,	 3128,	3306,  3389,  4444, 5000,
	5060, 5432, 5555, 5900, 5985, 5986, 6379, 6667,	 7547,	8000,  8008,  8080, 8081,
	8088, 8443, 8888, 9000, 9090, 9100, 9200, 11211, 27017, 37215, 52869,
};

bool port_is_tcp_service(uint16_t port)
{
	size_t low = 0;
	size_t high = array_length(tcp_services);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (tcp_services[middle] == port)
			return true;
		if (tcp_services[middle] < port)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool port_kind_covers(enum profile_port_kind kind, uint8_t protocol, uint16_t number,
		      uint16_t local_port, uint16_t remote_port)
{
	switch (kind) {
	case PORT_NUMBER:
		return remote_port == number;
	case PORT_ANY:
		return true;
	case PORT_HIGH:
		return remote_port >= PORT_HIGH_FIRST &&
		       !(protocol == IPPROTO_TCP && port_is_tcp_service(remote_port));
	case PORT_EPHEMERAL:
		return remote_port >= PORT_EPHEMERAL_FIRST;
	case PORT_SAME:
		return remote_port == local_port && remote_port >= PORT_HIGH_FIRST;
	}
	return false;
}

bool port_rule_covers(const struct port_rule *rule, uint8_t protocol, uint16_t local_port,
		      uint16_t remote_port)
{
	if (protocol_has_types(protocol))
		return rule->icmp_type == remote_port;
	if (!protocol_has_ports(protocol))
		return true;
	return port_kind_covers(rule->kind, protocol, rule->number, local_port, remote_port) &&
	       (rule->local_port == 0 || rule->local_port == local_port);
}
