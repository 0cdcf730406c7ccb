/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings of the network: what of the profile comes nearest to a packet, and what would permit it.
 */
#include "commands/explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "profiles/peer_place.h"
#include "profiles/port.h"
#include "report/event_flow.h"

/* How an entry and a packet are alike, best first. */
enum likeness {
	OTHER_PROGRAM, /* all but who does it */
	OTHER_PORT,
	OTHER_HOST,
	LIKENESS_COUNT,
};

static const char *const relations[LIKENESS_COUNT] = {
	[OTHER_PROGRAM] = "same flow, other program",
	[OTHER_PORT] = "same host, other port or protocol",
	[OTHER_HOST] = "same port, other host",
};

static void take_label(json_t *list, const char *relation, char *label)
{
	if (label && json_array_size(list) < EXPLAIN_NEAREST_LIMIT)
		(void)json_array_append_new(
			list, json_pack("{s:s, s:s}", "relation", relation, "entry", label));
	free(label);
}

/* Whether an address went by a name while the profile was learnt. */
static bool was_address_of(const struct profile *profile, const char *table, const char *key,
			   const struct ip_address *address)
{
	const json_t *list = json_object_get(json_object_get(profile->evidence, table), key);
	const json_t *item;
	char text[IP_TEXT_SIZE];
	size_t i;

	if (!address->family)
		return false;
	ip_format(address, text);
	json_array_foreach(list, i, item)
	{
		const char *known = json_string_value(item);

		if (known && strcmp(known, text) == 0)
			return true;
	}
	return false;
}

static bool role_covers(const struct profile *profile, enum profile_role role,
			const struct ip_address *address)
{
	return was_address_of(profile, "roles", role_name(role), address) ||
	       (address->family && peer_place(address, false) == role);
}

static bool name_covers(const struct profile *profile, const struct profile_connection *entry,
			const struct finding_flow *flow)
{
	return (flow->name[0] && peer_covers_name(entry->peer_kind, entry->name, flow->name)) ||
	       was_address_of(profile, "addresses", entry->name, &flow->remote);
}

static bool covers_host(const struct profile *profile, const struct profile_connection *entry,
			const struct finding_flow *flow)
{
	switch (entry->peer_kind) {
	case PEER_ADDRESS:
		return flow->remote.family &&
		       ip_in_prefix(&flow->remote, &entry->address, entry->prefix_length);
	case PEER_ROLE:
		return role_covers(profile, entry->role, &flow->remote);
	case PEER_HOST:
	case PEER_DOMAIN:
	case PEER_PATTERN:
		return name_covers(profile, entry, flow);
	}
	return false;
}

static bool covers_port(const struct profile_connection *entry, const struct finding_flow *flow)
{
	const struct port_rule rule = {.kind = entry->port_kind,
				       .number = entry->port,
				       .local_port = entry->local_port,
				       .icmp_type = entry->icmp_type};

	return entry->protocol == flow->protocol &&
	       port_rule_covers(&rule, flow->protocol, flow->local_port,
				protocol_has_types(flow->protocol) ? flow->icmp_type
								   : flow->remote_port);
}

static enum likeness compare(const struct profile *profile, const struct profile_connection *entry,
			     const struct finding_flow *flow)
{
	bool host = covers_host(profile, entry, flow);
	bool port = covers_port(entry, flow);

	if (host && port)
		return OTHER_PROGRAM;
	return host ? OTHER_PORT : port ? OTHER_HOST : LIKENESS_COUNT;
}

static void add_connections(json_t *list, const struct finding_flow *flow,
			    const struct profile *profile)
{
	const struct profile_network *network = &profile->network;

	for (unsigned int likeness = 0; likeness < LIKENESS_COUNT; likeness++)
		for (size_t i = 0; i < network->connection_count; i++)
			if (compare(profile, &network->connections[i], flow) == likeness)
				take_label(list, relations[likeness],
					   connection_label(&network->connections[i]));
}

static void add_listeners(json_t *list, const struct finding_flow *flow,
			  const struct profile *profile)
{
	const struct profile_network *network = &profile->network;

	for (size_t i = 0; i < network->listener_count; i++) {
		const struct profile_listener *entry = &network->listeners[i];
		bool same_port = entry->port == flow->local_port;

		if (same_port)
			take_label(list,
				   entry->protocol == flow->protocol
					   ? "same port, other address or family"
					   : "same port, other protocol",
				   listener_label(entry));
	}
	for (size_t i = 0; i < network->listener_count; i++)
		if (network->listeners[i].protocol == flow->protocol &&
		    network->listeners[i].port != flow->local_port)
			take_label(list, "other port", listener_label(&network->listeners[i]));
}

/* From the last label but one on: "example.net" of "a.b.example.net". */
static const char *last_labels(const char *name)
{
	const char *last = strrchr(name, '.');

	while (last && last > name && last[-1] != '.')
		last--;
	return last ? last : name;
}

static void add_names(json_t *list, const struct finding_flow *flow, const struct profile *profile)
{
	const struct profile_network *network = &profile->network;

	for (size_t i = 0; i < network->connection_count; i++) {
		const struct profile_connection *entry = &network->connections[i];

		if (entry->name && strcmp(last_labels(entry->name), last_labels(flow->name)) == 0)
			take_label(list, "other name, same end", connection_label(entry));
	}
	for (size_t i = 0; i < network->names.count; i++)
		if (strcmp(last_labels(network->names.items[i]), last_labels(flow->name)) == 0)
			take_label(list, "other name, same end", strdup(network->names.items[i]));
}

void explain_flow_nearest(json_t *list, enum finding_kind kind, const struct finding_flow *flow,
			  const struct profile *profile)
{
	if (kind == FINDING_SERVICE_UNKNOWN)
		add_listeners(list, flow, profile);
	else if (kind == FINDING_NAME_UNKNOWN)
		add_names(list, flow, profile);
	else
		add_connections(list, flow, profile);
}

/* ---- what would permit it ---- */

static int copy_text(const char *text, char **ret_copy)
{
	*ret_copy = text && *text ? strdup(text) : NULL;
	return text && *text && !*ret_copy ? -ENOMEM : 0;
}

static int name_peer(const struct finding_flow *flow, struct profile_connection *entry,
		     json_t *cautions)
{
	if (flow->name[0]) {
		entry->peer_kind = PEER_HOST;
		return copy_text(flow->name, &entry->name);
	}
	if (!flow->remote.family)
		return -ENODATA;
	entry->peer_kind = PEER_ADDRESS;
	entry->address = flow->remote;
	entry->prefix_length = flow->remote.family == 4 ? 32 : 128;
	(void)json_array_append_new(
		cautions, json_string("An address says little of who answers there: a name, or a "
				      "role in the local network, is the better entry where there "
				      "is one."));
	return 0;
}

int explain_permit_connection(const struct finding_flow *flow, const char *program,
			      struct profile *delta, json_t *cautions)
{
	struct profile_connection *entry = network_add_connection(&delta->network);
	int result;

	if (!entry)
		return -ENOMEM;
	entry->protocol = flow->protocol;
	entry->port_kind = PORT_NUMBER;
	entry->port = flow->remote_port;
	entry->icmp_type = flow->icmp_type;
	result = name_peer(flow, entry, cautions);
	return result < 0 ? result : copy_text(program, &entry->program);
}

int explain_permit_listener(const struct finding_flow *flow, struct profile *delta,
			    json_t *cautions)
{
	struct profile_listener *entry;

	if (!protocol_has_ports(flow->protocol) || !flow->local_port)
		return -ENODATA;
	entry = network_add_listener(&delta->network);
	if (!entry)
		return -ENOMEM;
	entry->protocol = flow->protocol;
	entry->any_address = true;
	entry->ipv4 = flow->remote.family != 6;
	entry->ipv6 = flow->remote.family == 6;
	entry->port = flow->local_port;
	(void)json_array_append_new(cautions,
				    json_string("Whoever reaches this device may then connect "
						"there; 'program' should name who answers."));
	return 0;
}

int explain_permit_name(const struct finding_flow *flow, struct profile *delta, json_t *cautions)
{
	if (!flow->name[0])
		return -ENODATA;
	(void)json_array_append_new(
		cautions, json_string("A name under 'names' may be asked for and opens nothing; a "
				      "connection to that host needs an entry of its own, which "
				      "permits the question too."));
	return string_list_add(&delta->network.names, flow->name);
}
