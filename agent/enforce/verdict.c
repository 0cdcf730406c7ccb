/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/verdict.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "enforce/address_names.h"
#include "profiles/known_addresses.h"
#include "profiles/peer_place.h"
#include "profiles/port.h"

#define NAMES_LIMIT 16384 /* addresses at a time */
#define ROLES_LIMIT 64	  /* addresses of each role */

struct role_addresses {
	struct ip_address items[ROLES_LIMIT];
	size_t count;
};

struct link_prefix {
	struct ip_address address;
	unsigned int length;
};

struct verdict {
	const struct profile_network *network;
	struct address_names *answered; /* names by the answers of this very network */
	struct address_names *known;	/* by the answers that were seen when learning */
	struct address_names *farms;	/* the same, keyed by prefix */
	struct role_addresses learnt[PEER_ROLE_BROADCAST + 1];
	struct role_addresses announced[PEER_ROLE_BROADCAST + 1];
	struct link_prefix *links;
	size_t link_count;
	size_t link_capacity;
};

static bool has_role(const struct role_addresses *addresses, const struct ip_address *address)
{
	for (size_t i = 0; i < addresses->count; i++)
		if (ip_equal(&addresses->items[i], address))
			return true;
	return false;
}

static void add_role(struct role_addresses *addresses, const struct ip_address *address)
{
	if (addresses->count < ROLES_LIMIT && !has_role(addresses, address))
		addresses->items[addresses->count++] = *address;
}

static int add_known_address(void *context, const char *name, const struct ip_address *address)
{
	struct verdict *verdict = context;
	struct ip_address farm = peer_farm(address);

	if (address_names_add(verdict->known, address, name) < 0 ||
	    address_names_add(verdict->farms, &farm, name) < 0)
		return -ENOMEM;
	return 0;
}

static void load_known_roles(struct verdict *verdict, const json_t *evidence)
{
	static const struct {
		const char *name;
		enum peer_role role;
	} roles[] = {
		{"resolver", PEER_ROLE_RESOLVER},
		{"gateway", PEER_ROLE_GATEWAY},
		{"dhcp-server", PEER_ROLE_DHCP_SERVER},
	};
	json_t *by_role = json_object_get(evidence, "roles");

	for (size_t i = 0; i < array_length(roles); i++) {
		json_t *list = json_object_get(by_role, roles[i].name);
		size_t j;
		json_t *item;

		json_array_foreach(list, j, item)
		{
			struct ip_address address;

			if (json_is_string(item) &&
			    ip_parse(json_string_value(item), &address) == 0)
				add_role(&verdict->learnt[roles[i].role], &address);
		}
	}
}

int verdict_new(const struct profile *profile, const struct profile_network *network,
		struct verdict **ret_verdict)
{
	struct verdict *verdict = calloc(1, sizeof(*verdict));

	if (!verdict)
		return -ENOMEM;
	verdict->network = network;
	if (address_names_new(&verdict->answered, NAMES_LIMIT) < 0 ||
	    address_names_new(&verdict->known, NAMES_LIMIT) < 0 ||
	    address_names_new(&verdict->farms, NAMES_LIMIT) < 0 ||
	    known_addresses_each(profile, add_known_address, verdict) < 0) {
		verdict_free(verdict);
		return -ENOMEM;
	}
	load_known_roles(verdict, profile->evidence);
	*ret_verdict = verdict;
	return 0;
}

void verdict_free(struct verdict *verdict)
{
	if (!verdict)
		return;
	address_names_free(verdict->answered);
	address_names_free(verdict->known);
	address_names_free(verdict->farms);
	free(verdict->links);
	free(verdict);
}

void verdict_observe(struct verdict *verdict, const struct observation *observation)
{
	const struct observed_name *name = &observation->name;
	const struct observed_role *role = &observation->role;

	/* A name that memory was short for permits nothing: that fails closed. */
	if (observation->kind == OBSERVATION_NAME && name->address.family)
		(void)address_names_add(verdict->answered, &name->address, name->name);
	else if (observation->kind == OBSERVATION_ROLE && role->role <= PEER_ROLE_BROADCAST &&
		 (role->announced || role->role == PEER_ROLE_GATEWAY))
		add_role(&verdict->announced[role->role], &role->address);
}

/* Where a flow goes, as far as roles are concerned. */
static enum profile_role place_of(const struct verdict *verdict, const struct observed_flow *flow)
{
	enum profile_role place =
		peer_place(&flow->remote, flow->link_broadcast ||
						  has_role(&verdict->announced[PEER_ROLE_BROADCAST],
							   &flow->remote));

	for (size_t i = 0; place == ROLE_INTERNET && i < verdict->link_count; i++)
		if (ip_in_prefix(&flow->remote, &verdict->links[i].address,
				 verdict->links[i].length))
			return ROLE_LAN;
	return place;
}

static bool plays_role(const struct verdict *verdict, const struct observed_flow *flow,
		       enum peer_role role)
{
	return has_role(&verdict->announced[role], &flow->remote) ||
	       has_role(&verdict->learnt[role], &flow->remote);
}

static bool role_covers(const struct verdict *verdict, const struct observed_flow *flow,
			enum profile_role place, enum profile_role role)
{
	switch (role) {
	case ROLE_RESOLVER:
		return peer_is_resolver(flow->remote_port, place,
					plays_role(verdict, flow, PEER_ROLE_RESOLVER));
	case ROLE_GATEWAY:
		/* in a network that has not shown its gateway yet, any neighbour may be it */
		return plays_role(verdict, flow, PEER_ROLE_GATEWAY) ||
		       (place == ROLE_LAN && !verdict->announced[PEER_ROLE_GATEWAY].count);
	case ROLE_DHCP_SERVER:
		return place == ROLE_LAN || plays_role(verdict, flow, PEER_ROLE_DHCP_SERVER);
	case ROLE_LAN:
		/* a directed broadcast that one kind of capture shows and another does not */
		return place == ROLE_LAN ||
		       (place == ROLE_BROADCAST && ip_is_local_network(&flow->remote));
	case ROLE_MULTICAST:
	case ROLE_BROADCAST:
	case ROLE_INTERNET:
		return place == role;
	}
	return false;
}

static bool name_fits_entry(void *context, const char *name)
{
	const struct profile_connection *entry = context;

	return peer_covers_name(entry->peer_kind, entry->name, name);
}

/* By name first and strictly: an address that was answered for is judged by those names alone. What
 * earlier answers said counts where the device asks no more, because it remembers. */
static bool named_peer_covers(struct verdict *verdict, const struct observed_flow *flow,
			      struct profile_connection *entry)
{
	struct ip_address farm = peer_farm(&flow->remote);

	if (address_names_has(verdict->answered, &flow->remote))
		return address_names_any(verdict->answered, &flow->remote, name_fits_entry, entry);
	if (flow->name[0] && name_fits_entry(entry, flow->name))
		return true;
	return address_names_any(verdict->known, &flow->remote, name_fits_entry, entry) ||
	       address_names_any(verdict->farms, &farm, name_fits_entry, entry);
}

static bool entry_covers(struct verdict *verdict, const struct observed_flow *flow,
			 enum profile_role place, struct profile_connection *entry)
{
	struct port_rule rule = {
		.kind = entry->port_kind,
		.number = entry->port,
		.local_port = entry->local_port,
		.icmp_type = entry->icmp_type,
	};
	uint16_t port = protocol_has_types(flow->protocol) ? flow->icmp_type : flow->remote_port;

	if (entry->protocol != flow->protocol ||
	    !port_rule_covers(&rule, flow->protocol, flow->local_port, port))
		return false;
	switch (entry->peer_kind) {
	case PEER_ADDRESS:
		return ip_in_prefix(&flow->remote, &entry->address, entry->prefix_length);
	case PEER_ROLE:
		return role_covers(verdict, flow, place, entry->role);
	case PEER_HOST:
	case PEER_DOMAIN:
	case PEER_PATTERN:
		return place == ROLE_INTERNET && named_peer_covers(verdict, flow, entry);
	}
	return false;
}

static bool listens_on(const struct verdict *verdict, uint8_t protocol, uint16_t port)
{
	for (size_t i = 0; i < verdict->network->listener_count; i++)
		if (verdict->network->listeners[i].protocol == protocol &&
		    verdict->network->listeners[i].port == port)
			return true;
	return false;
}

/* What the IP stack does by itself, and what a listener's own datagrams to neighbours are. */
static bool needs_no_entry(const struct verdict *verdict, const struct observed_flow *flow,
			   enum profile_role place)
{
	if (flow_is_stack(flow))
		return true;
	return flow->protocol == IPPROTO_UDP && place == ROLE_LAN &&
	       (listens_on(verdict, IPPROTO_UDP, flow->local_port) ||
		(flow->asked_port && listens_on(verdict, IPPROTO_UDP, flow->asked_port)));
}

bool verdict_permits(struct verdict *verdict, const struct observed_flow *flow)
{
	enum profile_role place = place_of(verdict, flow);

	if (needs_no_entry(verdict, flow, place))
		return true;
	for (size_t i = 0; i < verdict->network->connection_count; i++)
		if (entry_covers(verdict, flow, place, &verdict->network->connections[i]))
			return true;
	return false;
}

enum verdict_binding verdict_permits_program(struct verdict *verdict,
					     const struct observed_flow *flow, const char *program)
{
	enum profile_role place = place_of(verdict, flow);
	enum verdict_binding best = VERDICT_REFUSED;

	if (needs_no_entry(verdict, flow, place))
		return VERDICT_PERMITTED;
	for (size_t i = 0; i < verdict->network->connection_count; i++) {
		struct profile_connection *entry = &verdict->network->connections[i];

		if (!entry_covers(verdict, flow, place, entry))
			continue;
		if (!entry->program || (program && strcmp(entry->program, program) == 0))
			return VERDICT_PERMITTED;
		best = VERDICT_OTHER_PROGRAM;
	}
	return best;
}

int verdict_add_link(struct verdict *verdict, const struct ip_address *prefix, unsigned int length)
{
	if (array_reserve(&verdict->links, &verdict->link_capacity, verdict->link_count,
			  sizeof(*verdict->links)) < 0)
		return -ENOMEM;
	verdict->links[verdict->link_count++] =
		(struct link_prefix){.address = *prefix, .length = length};
	return 0;
}

const struct profile_network *verdict_network_of(const struct profile *profile,
						 const struct mac_address *mac)
{
	for (size_t i = 0; i < profile->device_count; i++)
		if (mac_equal(&profile->devices[i].mac, mac))
			return &profile->devices[i].network;
	return &profile->network;
}
