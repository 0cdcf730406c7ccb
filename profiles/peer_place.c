/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/peer_place.h"

#include <string.h>

#include "profiles/match.h"
#include "profiles/port.h"

#define FARM_PREFIX_IPV4 24
#define FARM_PREFIX_IPV6 48

enum profile_role peer_place(const struct ip_address *address, bool is_broadcast)
{
	enum address_scope scope = ip_scope(address);

	if (scope == ADDRESS_MULTICAST)
		return ROLE_MULTICAST;
	if (scope == ADDRESS_BROADCAST || is_broadcast)
		return ROLE_BROADCAST;
	return ip_is_local_network(address) ? ROLE_LAN : ROLE_INTERNET;
}

bool peer_is_resolver(uint16_t port, enum profile_role place, bool is_known)
{
	return (port == PORT_DNS || port == PORT_DNS_TLS) && (place == ROLE_LAN || is_known);
}

unsigned int peer_farm_prefix_length(const struct ip_address *address)
{
	return address->family == 4 ? FARM_PREFIX_IPV4 : FARM_PREFIX_IPV6;
}

struct ip_address peer_farm(const struct ip_address *address)
{
	struct ip_address farm = *address;
	size_t kept = peer_farm_prefix_length(address) / 8;

	memset(farm.bytes + kept, 0, sizeof(farm.bytes) - kept);
	return farm;
}

bool peer_covers_name(enum profile_peer_kind kind, const char *entry_name, const char *name)
{
	switch (kind) {
	case PEER_HOST:
		return strcmp(entry_name, name) == 0;
	case PEER_DOMAIN:
		return name_in_domain(name, entry_name);
	case PEER_PATTERN:
		return name_fits_pattern(name, entry_name);
	case PEER_ROLE:
	case PEER_ADDRESS:
		break;
	}
	return false;
}
