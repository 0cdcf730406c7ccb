/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What packets show of a station, into the tables. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/hostname.h"
#include "learn/learner_private.h"
#include "profiles/port.h"

static void note_ttl(uint32_t *min_s, uint32_t *max_s, uint32_t ttl_s, bool is_new)
{
	if (is_new || ttl_s < *min_s)
		*min_s = ttl_s;
	if (ttl_s > *max_s)
		*max_s = ttl_s;
}

/* Whether one more contact without a name on this protocol and port is kept. Ports from which
 * clients call are taken together: a station that answers to them would meet all of them in time.
 */
static bool may_list(struct learner *learner, const struct station *station, uint8_t protocol,
		     uint16_t port, bool is_new, uint64_t time_ns)
{
	struct key *key = &learner->other_key;
	struct unnamed_value *unnamed;

	key_start(key);
	key_mac(key, &station->mac);
	key_number(key, protocol, 1);
	key_number(key, port < PORT_EPHEMERAL_FIRST ? port : PORT_EPHEMERAL_FIRST, 2);
	unnamed = state_note(learner->state, TABLE_UNNAMED, key, time_ns, NULL);
	if (!unnamed)
		return false;
	if (!is_new)
		return true;
	if (unnamed->contacts >= UNNAMED_CONTACT_LIMIT) {
		unnamed->not_listed++;
		return false;
	}
	unnamed->contacts++;
	return true;
}

static struct name_value *note_address(struct learner *learner, const struct station *station,
				       const char *name, const struct ip_address *address,
				       uint32_t ttl_s, uint64_t time_ns)
{
	struct key *key = &learner->key;
	struct name_value *value;
	struct address_value *known;
	bool is_new;

	key_start(key);
	key_mac(key, &station->mac);
	key_string(key, name);
	value = state_take(learner->state, TABLE_NAMES, key, NULL);
	if (!value || address->family == 0)
		return value;
	key_address(key, address);
	if (value->addresses >= NAME_ADDRESS_LIMIT &&
	    !state_find(learner->state, TABLE_ADDRESSES, key)) {
		value->not_listed++;
		return value;
	}
	known = state_note(learner->state, TABLE_ADDRESSES, key, time_ns, &is_new);
	if (!known)
		return value;
	value->addresses += is_new;
	note_ttl(&known->ttl_min_s, &known->ttl_max_s, ttl_s, is_new);
	return value;
}

/* Whether this only answers a neighbour; DHCP is asked and answered on ports of its own. */
static bool is_answer(const struct observed_flow *flow)
{
	return flow->asked_port != 0 && flow->asked_port != 67 && flow->asked_port != 68 &&
	       flow->asked_port != 546 && flow->protocol == IPPROTO_UDP &&
	       ip_is_local_network(&flow->remote) && !flow->link_broadcast;
}

/* Port of the peer's that tells contacts apart. Who answers goes to whatever port was asked from.
 */
static uint16_t peer_port(const struct observed_flow *flow)
{
	if (protocol_has_types(flow->protocol))
		return flow->icmp_type;
	return is_answer(flow) ? 0 : flow->remote_port;
}

static uint16_t own_port(const struct observed_flow *flow)
{
	if (protocol_has_types(flow->protocol) || flow->protocol == IPPROTO_TCP)
		return 0;
	if (is_answer(flow))
		return flow->asked_port;
	/* above it a local port is chance and tells nothing about a contact */
	return flow->name[0] == '\0' && flow->local_port < PORT_EPHEMERAL_FIRST ? flow->local_port
										: 0;
}

static uint8_t contact_flags(const struct observed_flow *flow)
{
	uint8_t flags = 0;

	if (is_answer(flow))
		flags |= CONTACT_ASKED;
	if (!protocol_has_types(flow->protocol) && flow->local_port != 0 &&
	    flow->local_port == flow->remote_port)
		flags |= CONTACT_SAME_PORT;
	if (flow->link_broadcast)
		flags |= CONTACT_LINK_BROADCAST;
	if (flow->announces)
		flags |= CONTACT_ANNOUNCES;
	return flags;
}

static void contact_key(struct key *key, const struct station *station,
			const struct observed_flow *flow, const char *program)
{
	static const struct ip_address by_name = {0};
	bool named = flow->name[0] != '\0';
	bool is_public = ip_scope(&flow->remote) == ADDRESS_PUBLIC;

	key_start(key);
	key_mac(key, &station->mac);
	key_number(key, flow->protocol, 1);
	key_number(key, peer_port(flow), 2);
	key_number(key, own_port(flow), 2);
	key_number(key, contact_flags(flow), 1);
	/* A public peer with a name is that name, wherever it lives today. */
	key_address(key, named && is_public ? &by_name : &flow->remote);
	key_string(key, named ? flow->name : NULL);
	key_string(key, program);
}

static void keep_contact(struct learner *learner, const struct observation *observation,
			 const char *program)
{
	const struct observed_flow *flow = &observation->flow;
	struct key *key = &learner->key;
	uint64_t time_ns = observation->time_ns;
	struct contact_value *contact;
	char protocol[PROTOCOL_TEXT_SIZE], address[IP_TEXT_SIZE];
	bool is_new;

	if (flow->name[0] != '\0')
		note_address(learner, &observation->station, flow->name, &flow->remote, flow->ttl_s,
			     time_ns);
	contact_key(key, &observation->station, flow, program);
	is_new = !state_find(learner->state, TABLE_CONTACTS, key);
	if (flow->name[0] == '\0' && !may_list(learner, &observation->station, flow->protocol,
					       peer_port(flow), is_new, time_ns))
		return;
	contact = state_note(learner->state, TABLE_CONTACTS, key, time_ns, &is_new);
	if (!contact)
		return;
	if (flow->name_source == NAME_FROM_DNS)
		note_ttl(&contact->ttl_min_s, &contact->ttl_max_s, flow->ttl_s, is_new);
	contact->name_sources |= (uint8_t)(1u << (flow->name_source & 7));
	contact->samples |= samples_at(learner, time_ns);
	ip_format(&flow->remote, address);
	protocol_format(flow->protocol, protocol);
	learner_count(learner, NOVELTY_CONNECTIONS, &contact->seen, is_new, time_ns,
		      "connection %s %s %u", protocol, flow->name[0] ? flow->name : address,
		      flow->remote_port ? flow->remote_port : flow->icmp_type);
}

void take_connection(struct learner *learner, const struct observation *observation)
{
	struct observation checked = *observation;
	struct attribution *attribution =
		find_attribution(learner, &observation->station, observation->flow.id);
	bool left_out = attribution && attribution->left_out;

	/* A peer whose name could not stand in a profile is known by its address. */
	if (!hostname_is_valid(checked.flow.name)) {
		checked.flow.name[0] = '\0';
		checked.flow.name_source = NAME_FROM_NONE;
	}
	if (!left_out && !flow_is_stack(&observation->flow) &&
	    ip_scope(&observation->flow.remote) != ADDRESS_LOOPBACK)
		keep_contact(learner, &checked, attribution ? attribution->program : NULL);
	if (attribution)
		forget_attribution(learner, attribution);
}

static void note_peer(struct service_value *service, const struct ip_address *peer, bool is_new)
{
	uint8_t bytes[sizeof(service->peer)] = {peer->family};

	memcpy(bytes + 1, peer->bytes, sizeof(peer->bytes));
	if (is_new)
		memcpy(service->peer, bytes, sizeof(bytes));
	else if (memcmp(service->peer, bytes, sizeof(bytes)) != 0)
		service->has_more_peers = 1;
}

void take_service(struct learner *learner, const struct observation *observation)
{
	const struct observed_service *service = &observation->service;
	struct service_value *value;
	char protocol[PROTOCOL_TEXT_SIZE];
	bool is_new;

	if (ip_scope(&service->local) == ADDRESS_LOOPBACK)
		return;
	key_start(&learner->key);
	key_mac(&learner->key, &observation->station.mac);
	key_number(&learner->key, service->protocol, 1);
	key_number(&learner->key, service->local.family, 1);
	key_number(&learner->key, service->local_port, 2);
	value = state_note(learner->state, TABLE_SERVICES, &learner->key, observation->time_ns,
			   &is_new);
	if (!value)
		return;
	note_peer(value, &service->remote, is_new);
	value->samples |= samples_at(learner, observation->time_ns);
	protocol_format(service->protocol, protocol);
	/* Live, sockets tell of listeners; the packets of the same port are no further news. */
	if (learner->recorded)
		learner_count(learner, NOVELTY_LISTENERS, &value->seen, is_new,
			      observation->time_ns, "listener %s %u", protocol,
			      service->local_port);
}

void take_name(struct learner *learner, const struct observation *observation)
{
	const struct observed_name *name = &observation->name;
	struct name_value *value;

	if (!hostname_is_valid(name->name))
		return;
	value = note_address(learner, &observation->station, name->name, &name->address,
			     name->ttl_s, observation->time_ns);
	if (!value)
		return;
	key_start(&learner->key);
	key_mac(&learner->key, &observation->station.mac);
	key_string(&learner->key, name->name);
	value = state_note(learner->state, TABLE_NAMES, &learner->key, observation->time_ns, NULL);
	if (value)
		learner_count(learner, NOVELTY_NAMES, &value->seen, value->seen.count == 1,
			      observation->time_ns, "name %s", name->name);
}

void take_role(struct learner *learner, const struct observation *observation)
{
	key_start(&learner->key);
	key_mac(&learner->key, &observation->station.mac);
	key_address(&learner->key, &observation->role.address);
	key_number(&learner->key, observation->role.role, 1);
	state_note(learner->state, TABLE_ROLES, &learner->key, observation->time_ns, NULL);
}

void take_capture(struct learner *learner, const struct observation *observation)
{
	const struct observed_capture *capture = &observation->capture;
	const uint64_t counters[] = {
		[CAPTURE_PACKETS] = capture->packets, [CAPTURE_BYTES] = capture->bytes,
		[CAPTURE_DROPPED] = capture->dropped, [CAPTURE_UNDECODED] = capture->undecoded,
		[CAPTURE_EVICTED] = capture->evicted, [CAPTURE_INTERRUPTED] = capture->interrupted,
	};

	take_counters(learner, observation->time_ns, COUNTER_CAPTURE, counters, 6);
}
