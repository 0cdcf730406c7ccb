/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/tracker.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "observe/network/dhcp.h"
#include "observe/network/dns_watch.h"
#include "observe/network/flows.h"
#include "observe/network/limits.h"
#include "observe/network/names.h"
#include "observe/network/roles.h"
#include "observe/network/waiting.h"

struct tracker {
	struct tracker_config config;
	struct mac_address *own_macs;
	uint64_t now_ns; /* of the packets */
	struct flows *flows;
	struct waiting *waiting;
	struct names *names;
	struct dns_watch *dns;
	struct roles *roles;
};

/* Which way a packet goes, seen from the station. */
enum way {
	WAY_NONE, /* not the station's */
	WAY_SENT,
	WAY_RECEIVED,
	WAY_TO_GROUP, /* from others to a group that the station may be in */
};

static void deliver(const struct tracker *tracker, struct observation *observation)
{
	observation->station = tracker->config.station;
	observation->time_ns = tracker->now_ns;
	tracker->config.deliver(tracker->config.context, observation);
}

static void report_name(void *context, const char *name, const struct ip_address *address,
			uint32_t ttl_s)
{
	struct observation observation = {.kind = OBSERVATION_NAME};

	if (address)
		observation.name.address = *address;
	observation.name.ttl_s = ttl_s;
	(void)snprintf(observation.name.name, NAME_SIZE, "%s", name);
	deliver(context, &observation);
}

static void report_role(void *context, enum peer_role role, const struct ip_address *address,
			bool announced)
{
	struct observation observation = {.kind = OBSERVATION_ROLE};

	observation.role.role = (uint8_t)role;
	observation.role.address = *address;
	observation.role.announced = announced;
	deliver(context, &observation);
}

static void report_resolver(void *context, const struct ip_address *resolver)
{
	struct tracker *tracker = context;

	roles_resolver(tracker->roles, resolver, tracker->now_ns);
}

static void fill_flow(struct observed_flow *flow, const struct flow_key *key, uint64_t id)
{
	flow->id = id;
	flow->local = key->local;
	flow->remote = key->remote;
	flow->protocol = key->protocol;
	flow->icmp_type = key->icmp_type;
	flow->local_port = key->local_port;
	flow->remote_port = key->remote_port;
}

static void settle(void *context, const struct flow_key *key, uint64_t id, uint16_t asked_port,
		   const char *name, enum name_source source)
{
	struct observation observation = {.kind = OBSERVATION_CONNECTION};

	fill_flow(&observation.flow, key, id);
	observation.flow.asked_port = asked_port;
	observation.flow.name_source = (uint8_t)source;
	(void)snprintf(observation.flow.name, NAME_SIZE, "%s", name);
	deliver(context, &observation);
}

static int copy_config(struct tracker *tracker, const struct tracker_config *config)
{
	tracker->config = *config;
	tracker->config.own_macs = NULL;
	if (config->own_mac_count == 0)
		return 0;
	tracker->own_macs = calloc(config->own_mac_count, sizeof(struct mac_address));
	if (!tracker->own_macs)
		return -ENOMEM;
	memcpy(tracker->own_macs, config->own_macs,
	       config->own_mac_count * sizeof(struct mac_address));
	return 0;
}

int tracker_new(const struct tracker_config *config, struct tracker **ret_tracker)
{
	struct tracker *tracker = calloc(1, sizeof(*tracker));

	if (!tracker)
		return -ENOMEM;
	if (copy_config(tracker, config) < 0 || flows_new(&tracker->flows) < 0 ||
	    waiting_new(settle, tracker, &tracker->waiting) < 0 ||
	    names_new(report_name, tracker, &tracker->names) < 0 ||
	    dns_watch_new(tracker->names, report_resolver, tracker, &tracker->dns) < 0 ||
	    roles_new(report_role, tracker, &tracker->roles) < 0) {
		tracker_free(tracker);
		return -ENOMEM;
	}
	*ret_tracker = tracker;
	return 0;
}

void tracker_free(struct tracker *tracker)
{
	if (!tracker)
		return;
	flows_free(tracker->flows);
	waiting_free(tracker->waiting);
	dns_watch_free(tracker->dns);
	names_free(tracker->names);
	roles_free(tracker->roles);
	free(tracker->own_macs);
	free(tracker);
}

void tracker_finish(struct tracker *tracker)
{
	waiting_settle_all(tracker->waiting);
	names_forget_questions(tracker->names);
}

void tracker_advance(struct tracker *tracker, uint64_t time_ns)
{
	/* A recording may claim any time; sums with the limits must not wrap. */
	if (time_ns > INT64_MAX)
		time_ns = INT64_MAX;
	if (time_ns + CLOCK_STEP_NS < tracker->now_ns) {
		tracker_finish(tracker);
		tracker->now_ns = time_ns;
		return;
	}
	if (time_ns > tracker->now_ns)
		tracker->now_ns = time_ns;
	waiting_expire(tracker->waiting, tracker->now_ns);
	names_expire(tracker->names, tracker->now_ns);
}

static bool is_group(const struct ip_address *address)
{
	static const uint8_t broadcast[4] = {255, 255, 255, 255};

	if (address->family == 6)
		return address->bytes[0] == 0xff;
	return (address->bytes[0] & 0xf0) == 0xe0 || memcmp(address->bytes, broadcast, 4) == 0;
}

static bool goes_to_group(const struct packet *packet)
{
	return (packet->has_destination_mac && mac_is_multicast(&packet->destination_mac)) ||
	       packet->direction == PACKET_TO_BROADCAST || is_group(&packet->destination);
}

static bool is_broadcast(const struct tracker *tracker, const struct packet *packet)
{
	static const struct mac_address all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

	return (packet->has_destination_mac && mac_equal(&packet->destination_mac, &all)) ||
	       ip_scope(&packet->destination) == ADDRESS_BROADCAST ||
	       roles_is_broadcast(tracker->roles, &packet->destination);
}

/* UPnP Device Architecture 1.1, 1.2.2 */
static bool is_announcement(const struct packet *packet)
{
	static const char method[] = "NOTIFY ";

	return packet->protocol == IPPROTO_UDP && packet->destination_port == 1900 &&
	       packet->payload_size >= sizeof(method) - 1 &&
	       memcmp(packet->payload, method, sizeof(method) - 1) == 0;
}

static bool is_loopback(const struct ip_address *address)
{
	return address->family == 4
		       ? address->bytes[0] == 127
		       : address->bytes[0] == 0 && ip_scope(address) == ADDRESS_LOOPBACK;
}

static bool is_own_mac(const struct tracker *tracker, const struct mac_address *mac)
{
	for (size_t i = 0; i < tracker->config.own_mac_count; i++)
		if (mac_equal(&tracker->own_macs[i], mac))
			return true;
	return false;
}

static enum way received_way(const struct packet *packet)
{
	return goes_to_group(packet) ? WAY_TO_GROUP : WAY_RECEIVED;
}

static enum way way_of_mac(const struct tracker *tracker, const struct packet *packet)
{
	const struct mac_address *mac = &tracker->config.mac;

	if (packet->has_source_mac && mac_equal(&packet->source_mac, mac))
		return WAY_SENT;
	if (packet->has_destination_mac && mac_equal(&packet->destination_mac, mac))
		return received_way(packet);
	/* A cooked capture does not say to whom, so it may be the station: what others receive
	 * finds no flow of the station's. */
	if (!packet->has_destination_mac && packet->direction != PACKET_DIRECTION_UNKNOWN)
		return received_way(packet);
	return goes_to_group(packet) ? WAY_TO_GROUP : WAY_NONE;
}

static enum way way_of_address(const struct tracker *tracker, const struct packet *packet)
{
	if (ip_equal(&packet->source, &tracker->config.address))
		return WAY_SENT;
	if (ip_equal(&packet->destination, &tracker->config.address))
		return WAY_RECEIVED;
	return goes_to_group(packet) ? WAY_TO_GROUP : WAY_NONE;
}

static enum way way_of_host(const struct tracker *tracker, const struct packet *packet)
{
	switch (packet->direction) {
	case PACKET_FROM_US:
		return WAY_SENT;
	case PACKET_TO_US:
		return received_way(packet);
	case PACKET_TO_BROADCAST:
		return WAY_TO_GROUP;
	case PACKET_TO_OTHER:
		return WAY_NONE;
	case PACKET_DIRECTION_UNKNOWN:
		break;
	}
	if (packet->has_source_mac && is_own_mac(tracker, &packet->source_mac))
		return WAY_SENT;
	if (packet->has_destination_mac && is_own_mac(tracker, &packet->destination_mac))
		return received_way(packet);
	return goes_to_group(packet) ? WAY_TO_GROUP : WAY_NONE;
}

static enum way way_of(const struct tracker *tracker, const struct packet *packet)
{
	switch (tracker->config.subject) {
	case TRACK_MAC:
		return way_of_mac(tracker, packet);
	case TRACK_ADDRESS:
		return way_of_address(tracker, packet);
	case TRACK_THIS_HOST:
		return way_of_host(tracker, packet);
	}
	return WAY_NONE;
}

/* Whether the client's first bytes may still tell the name. */
static bool may_say_name(const struct packet *packet)
{
	return (packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP) &&
	       packet->destination_port != NS_DEFAULTPORT &&
	       ip_scope(&packet->destination) == ADDRESS_PUBLIC;
}

static void report_start(struct tracker *tracker, const struct packet *packet, bool to_group,
			 const struct flow_step *step)
{
	struct observation observation = {.kind = OBSERVATION_START};
	struct observed_flow *flow = &observation.flow;
	const char *name = NULL;

	if (!to_group)
		name = names_find(tracker->names, &packet->destination, tracker->now_ns,
				  &flow->ttl_s);
	fill_flow(flow, &step->key, step->id);
	flow->local = packet->source;
	flow->asked_port = step->asked_port;
	flow->link_broadcast = to_group && is_broadcast(tracker, packet);
	flow->announces = to_group && is_announcement(packet);
	if (name) {
		flow->name_source = NAME_FROM_DNS;
		(void)snprintf(flow->name, NAME_SIZE, "%s", name);
	}
	deliver(tracker, &observation);
	if (!name && !to_group && may_say_name(packet)) {
		waiting_add(tracker->waiting, step, packet, tracker->now_ns);
		return;
	}
	observation.kind = OBSERVATION_CONNECTION;
	deliver(tracker, &observation);
}

static void report_service(struct tracker *tracker, const struct packet *packet)
{
	struct observation observation = {.kind = OBSERVATION_SERVICE};

	observation.service.local = packet->source;
	observation.service.remote = packet->destination;
	observation.service.protocol = packet->protocol;
	observation.service.local_port = packet->source_port;
	deliver(tracker, &observation);
}

static void follow_sent(struct tracker *tracker, const struct packet *packet)
{
	bool to_group =
		goes_to_group(packet) || (!packet->has_destination_mac &&
					  roles_is_broadcast(tracker->roles, &packet->destination));
	struct flow_step step;

	flows_sent(tracker->flows, packet, to_group, tracker->now_ns, &step);
	if (step.event == FLOW_STARTS) {
		waiting_settle(tracker->waiting, &step.key);
		report_start(tracker, packet, to_group, &step);
		if (packet->has_destination_mac && packet->destination.family == 4 &&
		    ip_scope(&packet->destination) == ADDRESS_PUBLIC)
			roles_next_hop(tracker->roles, &packet->destination_mac, tracker->now_ns);
	}
	if (step.event == FLOW_ANSWERS || step.serves)
		report_service(tracker, packet);
}

static void sent(struct tracker *tracker, const struct packet *packet)
{
	switch (packet->protocol) {
	case IPPROTO_TCP:
		/* The long part of a connection: at most one look into one table. */
		if (packet->tcp_flags & TH_SYN)
			follow_sent(tracker, packet);
		else if (packet->payload_size || packet->tcp_flags & (TH_FIN | TH_RST))
			waiting_sent(tracker->waiting, packet);
		break;
	case IPPROTO_UDP:
		if (!waiting_is_empty(tracker->waiting))
			waiting_sent(tracker->waiting, packet);
		follow_sent(tracker, packet);
		if (packet->source_port == DHCP_CLIENT_PORT &&
		    packet->destination_port == DHCP_SERVER_PORT)
			roles_dhcp_sent(tracker->roles, packet, tracker->now_ns);
		break;
	default:
		follow_sent(tracker, packet);
		return;
	}
	dns_watch_sent(tracker->dns, packet, tracker->now_ns);
}

/* A cooked capture has the neighbour's hardware address on what comes from it only; the answer to
 * the station's own SYN is harder to make up than any packet. */
static void next_hop_of_answer(struct tracker *tracker, const struct packet *packet)
{
	if (!packet->has_destination_mac && packet->has_source_mac && packet->source.family == 4 &&
	    packet->tcp_flags & TH_ACK && ip_scope(&packet->source) == ADDRESS_PUBLIC)
		roles_next_hop(tracker->roles, &packet->source_mac, tracker->now_ns);
}

static void received(struct tracker *tracker, const struct packet *packet, bool to_group)
{
	switch (packet->protocol) {
	case IPPROTO_TCP:
		if (packet->tcp_flags & TH_SYN) {
			flows_received(tracker->flows, packet, to_group, tracker->now_ns);
			next_hop_of_answer(tracker, packet);
		} else if (packet->tcp_flags & (TH_FIN | TH_RST)) {
			waiting_received_end(tracker->waiting, packet);
		}
		break;
	case IPPROTO_UDP:
		flows_received(tracker->flows, packet, to_group, tracker->now_ns);
		if (packet->source_port == DHCP_SERVER_PORT &&
		    packet->destination_port == DHCP_CLIENT_PORT)
			roles_dhcp_received(tracker->roles, packet, tracker->now_ns);
		break;
	case IPPROTO_ICMPV6:
		if (packet->icmp_type == ND_ROUTER_ADVERT)
			roles_advertisement(tracker->roles, packet, tracker->now_ns);
		flows_received(tracker->flows, packet, to_group, tracker->now_ns);
		return;
	default:
		flows_received(tracker->flows, packet, to_group, tracker->now_ns);
		return;
	}
	if (!to_group)
		dns_watch_received(tracker->dns, packet, tracker->now_ns);
}

/* Names are asked for over loopback too (a stub resolver); nothing else of it concerns the network.
 */
static void look_at_loopback(struct tracker *tracker, const struct packet *packet)
{
	if (tracker->config.subject != TRACK_THIS_HOST ||
	    (!packet->loopback &&
	     (!is_loopback(&packet->source) || !is_loopback(&packet->destination))))
		return;
	dns_watch_sent(tracker->dns, packet, tracker->now_ns);
	dns_watch_received(tracker->dns, packet, tracker->now_ns);
}

void tracker_packet(struct tracker *tracker, const struct packet *packet, uint64_t time_ns)
{
	tracker_advance(tracker, time_ns);
	if (packet->kind == PACKET_ARP)
		roles_arp(tracker->roles, packet, tracker->now_ns);
	if (packet->kind != PACKET_IP)
		return;
	if (packet->loopback || is_loopback(&packet->source) || is_loopback(&packet->destination)) {
		look_at_loopback(tracker, packet);
		return;
	}
	switch (way_of(tracker, packet)) {
	case WAY_NONE:
		break;
	case WAY_SENT:
		sent(tracker, packet);
		break;
	case WAY_RECEIVED:
		received(tracker, packet, false);
		break;
	case WAY_TO_GROUP:
		received(tracker, packet, true);
		break;
	}
}

uint64_t tracker_evicted(const struct tracker *tracker)
{
	return flows_evicted(tracker->flows) + waiting_evicted(tracker->waiting) +
	       names_evicted(tracker->names) + dns_watch_evicted(tracker->dns) +
	       roles_evicted(tracker->roles);
}

uint64_t tracker_forged(const struct tracker *tracker)
{
	return names_forged(tracker->names);
}
