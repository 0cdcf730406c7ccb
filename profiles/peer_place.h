/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILES_PEER_PLACE_H
#define PROFILES_PEER_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "profiles/profile.h"

/* What learning and judging must agree on about a peer. */

/* ROLE_MULTICAST, ROLE_BROADCAST, ROLE_LAN or ROLE_INTERNET. is_broadcast: the frame was one, or
 * the address is known to be its subnet's. */
enum profile_role peer_place(const struct ip_address *address, bool is_broadcast);

/* Whether a flow over TCP or UDP to that port asks a resolver. is_known: the peer has shown itself
 * as one, or was announced; any neighbour may be one too. */
bool peer_is_resolver(uint16_t port, enum profile_role place, bool is_known);

/* The prefix whose addresses are taken for one server farm: /24, IPv6 /48. */
struct ip_address peer_farm(const struct ip_address *address);
unsigned int peer_farm_prefix_length(const struct ip_address *address);

/* Whether an entry's host, domain or pattern covers a host name; false for other kinds. */
bool peer_covers_name(enum profile_peer_kind kind, const char *entry_name, const char *name);

#endif
