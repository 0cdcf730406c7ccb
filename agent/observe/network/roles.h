/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_ROLES_H
#define OBSERVE_NETWORK_ROLES_H

#include <stdbool.h>
#include <stdint.h>

#include "observe/network/packet.h"
#include "observe/observation.h"

/*
 * Evidence of who is what to the station: resolvers, gateways, DHCP servers, its subnet's broadcast
 * address. Each role of an address is reported once, when it is announced for the first time, and
 * again at most every ROLE_REPEAT_NS.
 */
struct roles;

/* announced: by DHCP or a router advertisement, now or before. */
typedef void (*roles_report_fn)(void *context, enum peer_role role,
				const struct ip_address *address, bool announced);

/* Returns 0 or -ENOMEM. */
int roles_new(roles_report_fn report, void *context, struct roles **ret_roles);
void roles_free(struct roles *roles);

/* Gave an answer that counted. */
void roles_resolver(struct roles *roles, const struct ip_address *address, uint64_t now_ns);

/* UDP between the DHCP ports. Only answers to a transaction that the station began count. */
void roles_dhcp_sent(struct roles *roles, const struct packet *packet, uint64_t now_ns);
void roles_dhcp_received(struct roles *roles, const struct packet *packet, uint64_t now_ns);

/* A received ICMPv6 router advertisement. */
void roles_advertisement(struct roles *roles, const struct packet *packet, uint64_t now_ns);

void roles_arp(struct roles *roles, const struct packet *packet, uint64_t now_ns);

/* The neighbour to whom the station hands what goes to public IPv4 addresses. */
void roles_next_hop(struct roles *roles, const struct mac_address *mac, uint64_t now_ns);

bool roles_is_broadcast(const struct roles *roles, const struct ip_address *address);
uint64_t roles_evicted(const struct roles *roles);

#endif
