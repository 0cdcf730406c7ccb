/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/roles.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "observe/network/advertisement.h"
#include "observe/network/dhcp.h"
#include "observe/network/limits.h"

struct role_key {
	uint8_t role;
	struct ip_address address;
};

struct role {
	bool is_reported;
	bool is_announced;
	uint64_t reported_ns;
};

struct dhcp_request {
	struct mac_address client_mac;
	uint64_t time_ns;
};

struct roles {
	struct map *known;	   /* struct role_key to struct role */
	struct map *neighbours;	   /* hardware address to its struct ip_address */
	struct map *dhcp_requests; /* transaction id to struct dhcp_request */
	struct mac_address next_hop;
	roles_report_fn report;
	void *context;
};

int roles_new(roles_report_fn report, void *context, struct roles **ret_roles)
{
	struct roles *roles = calloc(1, sizeof(*roles));

	if (!roles)
		return -ENOMEM;
	roles->report = report;
	roles->context = context;
	if (map_new(&roles->known, ROLES_MAX, sizeof(struct role), NULL, NULL) < 0 ||
	    map_new(&roles->neighbours, NEIGHBOURS_MAX, sizeof(struct ip_address), NULL, NULL) <
		    0 ||
	    map_new(&roles->dhcp_requests, DHCP_REQUESTS_MAX, sizeof(struct dhcp_request), NULL,
		    NULL) < 0) {
		roles_free(roles);
		return -ENOMEM;
	}
	*ret_roles = roles;
	return 0;
}

void roles_free(struct roles *roles)
{
	if (!roles)
		return;
	map_free(roles->known);
	map_free(roles->neighbours);
	map_free(roles->dhcp_requests);
	free(roles);
}

static void tell(struct roles *roles, enum peer_role role, const struct ip_address *address,
		 bool announced, uint64_t now_ns)
{
	struct role_key key = {.role = (uint8_t)role, .address = *address};
	struct role *known = map_add(roles->known, &key, sizeof(key));

	if (!known ||
	    (known->is_reported && known->is_announced >= announced &&
	     now_ns >= known->reported_ns && now_ns < known->reported_ns + ROLE_REPEAT_NS))
		return;
	known->is_reported = true;
	known->is_announced |= announced;
	known->reported_ns = now_ns;
	roles->report(roles->context, role, address, known->is_announced);
}

static bool is_unicast(const struct ip_address *address)
{
	enum address_scope scope = ip_scope(address);

	return scope == ADDRESS_PUBLIC || scope == ADDRESS_PRIVATE || scope == ADDRESS_LINK_LOCAL;
}

/* What an announcement may claim: a peer that packets can be sent to. */
static void tell_announced(struct roles *roles, enum peer_role role,
			   const struct ip_address *address, uint64_t now_ns)
{
	if (is_unicast(address))
		tell(roles, role, address, true, now_ns);
}

void roles_resolver(struct roles *roles, const struct ip_address *address, uint64_t now_ns)
{
	if (is_unicast(address))
		tell(roles, PEER_ROLE_RESOLVER, address, false, now_ns);
}

void roles_dhcp_sent(struct roles *roles, const struct packet *packet, uint64_t now_ns)
{
	struct dhcp_message message;
	struct dhcp_request *request;

	if (dhcp_message_parse(packet->payload, packet->payload_size, &message) < 0 ||
	    message.operation != 1)
		return;
	request = map_add(roles->dhcp_requests, &message.transaction, sizeof(message.transaction));
	if (!request)
		return;
	request->client_mac = message.client_mac;
	request->time_ns = now_ns;
}

static bool is_answer(struct roles *roles, const struct dhcp_message *message, uint64_t now_ns)
{
	const struct dhcp_request *request;

	if (message->operation != 2)
		return false;
	request =
		map_find(roles->dhcp_requests, &message->transaction, sizeof(message->transaction));
	return request && mac_equal(&request->client_mac, &message->client_mac) &&
	       now_ns <= request->time_ns + DHCP_LIFE_NS;
}

static void tell_broadcast(struct roles *roles, const struct dhcp_message *message, uint64_t now_ns)
{
	struct ip_address broadcast = message->broadcast;

	if (message->client.family && message->subnet_mask.family) {
		broadcast = message->client;
		for (size_t i = 0; i < 4; i++)
			broadcast.bytes[i] |= (uint8_t)~message->subnet_mask.bytes[i];
	}
	/* A mask of 32 bits has no broadcast address. */
	if (broadcast.family && !ip_equal(&broadcast, &message->client))
		tell_announced(roles, PEER_ROLE_BROADCAST, &broadcast, now_ns);
}

void roles_dhcp_received(struct roles *roles, const struct packet *packet, uint64_t now_ns)
{
	struct dhcp_message message;

	if (dhcp_message_parse(packet->payload, packet->payload_size, &message) < 0 ||
	    !is_answer(roles, &message, now_ns) ||
	    (message.type != DHCP_OFFER && message.type != DHCP_ACK))
		return;
	tell_announced(roles, PEER_ROLE_DHCP_SERVER, &packet->source, now_ns);
	tell_announced(roles, PEER_ROLE_DHCP_SERVER, &message.server, now_ns);
	if (message.type != DHCP_ACK)
		return;
	for (size_t i = 0; i < message.router_count; i++)
		tell_announced(roles, PEER_ROLE_GATEWAY, &message.routers[i], now_ns);
	for (size_t i = 0; i < message.resolver_count; i++)
		tell_announced(roles, PEER_ROLE_RESOLVER, &message.resolvers[i], now_ns);
	tell_broadcast(roles, &message, now_ns);
}

void roles_advertisement(struct roles *roles, const struct packet *packet, uint64_t now_ns)
{
	struct router_advertisement advertisement;

	/* RFC 4861, 6.1.2: from a link-local address, and not forwarded by anyone */
	if (packet->ttl != 255 || packet->icmp_code != 0 ||
	    ip_scope(&packet->source) != ADDRESS_LINK_LOCAL ||
	    router_advertisement_parse(packet->payload, packet->payload_size, &advertisement) < 0)
		return;
	if (advertisement.is_default_router)
		tell(roles, PEER_ROLE_GATEWAY, &packet->source, true, now_ns);
	for (size_t i = 0; i < advertisement.resolver_count; i++)
		tell_announced(roles, PEER_ROLE_RESOLVER, &advertisement.resolvers[i], now_ns);
}

void roles_arp(struct roles *roles, const struct packet *packet, uint64_t now_ns)
{
	/* RFC 826: Ethernet (1) to IPv4 (0x0800), six and four bytes */
	static const uint8_t head[6] = {0, 1, 8, 0, 6, 4};
	struct mac_address mac;
	struct ip_address address;
	struct ip_address *known;

	if (packet->payload_size < 28 || memcmp(packet->payload, head, sizeof(head)) != 0)
		return;
	memcpy(mac.bytes, packet->payload + 8, 6);
	address = ip_from_ipv4(packet->payload + 14);
	if (!packet->has_source_mac || !mac_equal(&mac, &packet->source_mac) ||
	    !ip_is_local_network(&address))
		return;
	known = map_add(roles->neighbours, &mac, sizeof(mac));
	if (known)
		*known = address;
	if (mac_equal(&mac, &roles->next_hop))
		tell(roles, PEER_ROLE_GATEWAY, &address, false, now_ns);
}

void roles_next_hop(struct roles *roles, const struct mac_address *mac, uint64_t now_ns)
{
	const struct ip_address *address;

	if (mac_is_zero(mac) || mac_is_multicast(mac))
		return;
	roles->next_hop = *mac;
	address = map_find(roles->neighbours, mac, sizeof(*mac));
	if (address)
		tell(roles, PEER_ROLE_GATEWAY, address, false, now_ns);
}

bool roles_is_broadcast(const struct roles *roles, const struct ip_address *address)
{
	struct role_key key = {.role = PEER_ROLE_BROADCAST, .address = *address};

	return map_peek(roles->known, &key, sizeof(key)) != NULL;
}

uint64_t roles_evicted(const struct roles *roles)
{
	return map_evicted(roles->known) + map_evicted(roles->neighbours) +
	       map_evicted(roles->dhcp_requests);
}
