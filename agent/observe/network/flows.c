/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/flows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "observe/network/limits.h"
#include "observe/network/queries.h"

enum opener {
	OPENED_BY_STATION,
	OPENED_BY_PEER,
	PASSES_THROUGH, /* others' traffic that the station only forwards */
};

struct flow {
	uint64_t last_ns;
	uint32_t sequence; /* of the SYN */
	uint8_t opener;	   /* enum opener */
	bool is_answered;  /* opened by a peer, and the station has answered */
};

struct flows {
	struct map *table;
	struct queries *queries;
	uint64_t last_id;
};

/* What a packet does to the flow it belongs to. */
enum signal {
	SIGNAL_NONE,
	SIGNAL_OPEN,   /* TCP SYN, SCTP INIT */
	SIGNAL_ACCEPT, /* their answers */
	SIGNAL_DATA,   /* whoever sends first opens */
};

/* Answers among the ICMP types and the requests they belong to (RFC 792, 950, 4443, 4620). */
static const struct {
	uint8_t protocol;
	uint8_t reply;
	uint8_t request;
} icmp_pairs[] = {
	{IPPROTO_ICMP, ICMP_ECHOREPLY, ICMP_ECHO},
	{IPPROTO_ICMP, ICMP_TIMESTAMPREPLY, ICMP_TIMESTAMP},
	{IPPROTO_ICMP, ICMP_INFO_REPLY, ICMP_INFO_REQUEST},
	{IPPROTO_ICMP, ICMP_ADDRESSREPLY, ICMP_ADDRESS},
	{IPPROTO_ICMPV6, ICMP6_ECHO_REPLY, ICMP6_ECHO_REQUEST},
	{IPPROTO_ICMPV6, 140, 139}, /* node information, RFC 4620 */
};

int flows_new(struct flows **ret_flows)
{
	struct flows *flows = calloc(1, sizeof(*flows));

	if (!flows)
		return -ENOMEM;
	if (map_new(&flows->table, FLOWS_MAX, sizeof(struct flow), NULL, NULL) < 0 ||
	    queries_new(&flows->queries) < 0) {
		flows_free(flows);
		return -ENOMEM;
	}
	*ret_flows = flows;
	return 0;
}

void flows_free(struct flows *flows)
{
	if (!flows)
		return;
	map_free(flows->table);
	queries_free(flows->queries);
	free(flows);
}

uint64_t flows_evicted(const struct flows *flows)
{
	return map_evicted(flows->table) + queries_evicted(flows->queries);
}

static bool is_udp(uint8_t protocol)
{
	return protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE;
}

static bool is_icmp(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

static bool has_ports(uint8_t protocol)
{
	return is_udp(protocol) || protocol == IPPROTO_TCP || protocol == IPPROTO_SCTP;
}

/* RFC 792: destination unreachable, source quench, redirect, time exceeded, parameter problem.
 * RFC 4443, 2.1: ICMPv6 errors have the high-order bit clear. */
static bool is_icmp_error(const struct packet *packet)
{
	if (packet->protocol == IPPROTO_ICMPV6)
		return packet->icmp_type < 128;
	switch (packet->icmp_type) {
	case ICMP_DEST_UNREACH:
	case ICMP_SOURCE_QUENCH:
	case ICMP_REDIRECT:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
		return true;
	default:
		return false;
	}
}

static enum signal signal_of(const struct packet *packet)
{
	if (packet->fragment_offset != 0 || (has_ports(packet->protocol) && !packet->has_ports))
		return SIGNAL_NONE;
	switch (packet->protocol) {
	case IPPROTO_TCP:
		if (!(packet->tcp_flags & TH_SYN))
			return SIGNAL_NONE;
		return packet->tcp_flags & TH_ACK ? SIGNAL_ACCEPT : SIGNAL_OPEN;
	case IPPROTO_SCTP:
		if (packet->sctp_init)
			return SIGNAL_OPEN;
		return packet->sctp_init_ack ? SIGNAL_ACCEPT : SIGNAL_NONE;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return is_icmp_error(packet) ? SIGNAL_NONE : SIGNAL_DATA;
	default:
		return SIGNAL_DATA;
	}
}

void flow_key_make(const struct packet *packet, bool sent, struct flow_key *ret_key)
{
	struct flow_key key = {.protocol = packet->protocol};

	key.remote = sent ? packet->destination : packet->source;
	if (packet->has_ports) {
		key.local = sent ? packet->source : packet->destination;
		key.local_port = sent ? packet->source_port : packet->destination_port;
		key.remote_port = sent ? packet->destination_port : packet->source_port;
	} else if (is_icmp(packet->protocol)) {
		key.icmp_type = packet->icmp_type;
	}
	*ret_key = key;
}

static bool is_near(uint64_t a_ns, uint64_t b_ns, uint64_t within_ns)
{
	return a_ns > b_ns ? a_ns - b_ns <= within_ns : b_ns - a_ns <= within_ns;
}

/* A packet that enters and leaves by the station's own interfaces is seen twice with the sides
 * swapped: what a peer opened towards someone else is not the station's when it goes on. */
static bool is_forwarded(struct flows *flows, const struct flow_key *key, uint64_t now_ns)
{
	struct flow_key swapped = {
		.local = key->remote,
		.remote = key->local,
		.protocol = key->protocol,
		.icmp_type = key->icmp_type,
		.local_port = key->remote_port,
		.remote_port = key->local_port,
	};
	struct flow *flow;

	if (!has_ports(key->protocol))
		return false;
	flow = map_find(flows->table, &swapped, sizeof(swapped));
	if (!flow || flow->opener == OPENED_BY_STATION ||
	    !is_near(flow->last_ns, now_ns, CLOCK_STEP_NS))
		return false;
	flow->opener = PASSES_THROUGH;
	return true;
}

static void start(struct flows *flows, struct flow *flow, const struct packet *packet,
		  bool to_group, uint64_t now_ns, struct flow_step *step)
{
	flow->last_ns = now_ns;
	flow->sequence = packet->tcp_sequence;
	flow->is_answered = false;
	flow->opener = OPENED_BY_STATION;
	if (is_forwarded(flows, &step->key, now_ns)) {
		flow->opener = PASSES_THROUGH;
		return;
	}
	step->event = FLOW_STARTS;
	step->id = ++flows->last_id;
	if (!is_udp(packet->protocol))
		return;
	if (to_group) {
		queries_add(flows->queries, packet, true, now_ns);
		return;
	}
	step->asked_port = queries_asked_port(flows->queries, packet, false, now_ns);
	step->serves = step->asked_port != 0 && step->asked_port == packet->source_port;
}

static void answer(struct flow *flow, struct flow_step *step)
{
	if (flow->opener != OPENED_BY_PEER || flow->is_answered)
		return;
	flow->is_answered = true;
	if (has_ports(step->key.protocol))
		step->event = FLOW_ANSWERS;
}

static void sent_data(struct flows *flows, const struct packet *packet, bool to_group,
		      uint64_t now_ns, struct flow_step *step)
{
	struct flow *flow = map_find(flows->table, &step->key, sizeof(step->key));

	/* With the clock set back a peer's flow stays the peer's. */
	if (flow && (is_near(flow->last_ns, now_ns, FLOW_IDLE_NS) ||
		     (flow->opener == OPENED_BY_PEER && now_ns < flow->last_ns))) {
		flow->last_ns = now_ns;
		if (to_group && is_udp(packet->protocol))
			queries_add(flows->queries, packet, true, now_ns);
		answer(flow, step);
		return;
	}
	if (!flow)
		flow = map_add(flows->table, &step->key, sizeof(step->key));
	if (flow)
		start(flows, flow, packet, to_group, now_ns, step);
}

static void sent_open(struct flows *flows, const struct packet *packet, uint64_t now_ns,
		      struct flow_step *step)
{
	struct flow *flow = map_find(flows->table, &step->key, sizeof(step->key));

	/* The sequence number is zero in SCTP: an INIT from the same ports within the idle time is
	 * a retransmission. */
	if (flow && flow->opener != OPENED_BY_PEER && flow->sequence == packet->tcp_sequence &&
	    is_near(flow->last_ns, now_ns, FLOW_IDLE_NS)) {
		flow->last_ns = now_ns;
		return;
	}
	if (!flow)
		flow = map_add(flows->table, &step->key, sizeof(step->key));
	if (flow)
		start(flows, flow, packet, false, now_ns, step);
}

/* A station that accepts has been asked, also when the question was not captured. */
static void sent_accept(struct flows *flows, uint64_t now_ns, struct flow_step *step)
{
	struct flow *flow = map_find(flows->table, &step->key, sizeof(step->key));

	if (!flow) {
		flow = map_add(flows->table, &step->key, sizeof(step->key));
		if (!flow)
			return;
		flow->opener =
			is_forwarded(flows, &step->key, now_ns) ? PASSES_THROUGH : OPENED_BY_PEER;
	}
	flow->last_ns = now_ns;
	answer(flow, step);
}

void flows_sent(struct flows *flows, const struct packet *packet, bool to_group, uint64_t now_ns,
		struct flow_step *ret_step)
{
	struct flow_step step = {.event = FLOW_GOES_ON};

	switch (signal_of(packet)) {
	case SIGNAL_NONE:
		break;
	case SIGNAL_OPEN:
		flow_key_make(packet, true, &step.key);
		sent_open(flows, packet, now_ns, &step);
		break;
	case SIGNAL_ACCEPT:
		flow_key_make(packet, true, &step.key);
		sent_accept(flows, now_ns, &step);
		break;
	case SIGNAL_DATA:
		flow_key_make(packet, true, &step.key);
		sent_data(flows, packet, to_group, now_ns, &step);
		break;
	}
	*ret_step = step;
}

static void opened_by_peer(struct flow *flow, const struct packet *packet, uint64_t now_ns)
{
	flow->last_ns = now_ns;
	flow->sequence = packet->tcp_sequence;
	flow->opener = OPENED_BY_PEER;
	flow->is_answered = false;
}

static void received_open(struct flows *flows, const struct packet *packet, uint64_t now_ns)
{
	struct flow_key key;
	struct flow *flow;

	flow_key_make(packet, false, &key);
	flow = map_find(flows->table, &key, sizeof(key));
	if (flow && is_near(flow->last_ns, now_ns, FLOW_IDLE_NS) &&
	    flow->sequence == packet->tcp_sequence)
		return; /* a retransmission */
	if (!flow)
		flow = map_add(flows->table, &key, sizeof(key));
	if (flow)
		opened_by_peer(flow, packet, now_ns);
}

static bool answers_station(struct flows *flows, const struct packet *packet, uint64_t now_ns)
{
	return is_udp(packet->protocol) &&
	       queries_asked_port(flows->queries, packet, true, now_ns) != 0;
}

static void received_datagram(struct flows *flows, const struct packet *packet, uint64_t now_ns)
{
	struct flow_key key;
	struct flow *flow;

	flow_key_make(packet, false, &key);
	flow = map_find(flows->table, &key, sizeof(key));
	if (!flow) {
		/* A peer's answer to the station's query to a group opens nothing: should the
		 * station go on with that peer, it is the one who begins. */
		if (answers_station(flows, packet, now_ns))
			return;
		flow = map_add(flows->table, &key, sizeof(key));
		if (!flow)
			return;
		opened_by_peer(flow, packet, now_ns);
	} else if (now_ns > flow->last_ns + FLOW_IDLE_NS) {
		opened_by_peer(flow, packet, now_ns);
	}
	/* With the clock set back an old flow stays its opener's. */
	flow->last_ns = now_ns;
	if (flow->opener == OPENED_BY_PEER && is_udp(packet->protocol))
		queries_add(flows->queries, packet, false, now_ns);
}

/* DHCP servers answer by broadcast as long as the client has no address (RFC 2131, 4.1; IPv6 has
 * 547 and 546, RFC 8415, 7.2): that is no query. */
static bool is_group_answer(const struct packet *packet)
{
	return (packet->source_port == 67 && packet->destination_port == 68) ||
	       (packet->source_port == 547 && packet->destination_port == 546);
}

/* Kept under the type of the reply, apart from the station's own requests. */
static void received_icmp(struct flows *flows, const struct packet *packet, uint64_t now_ns)
{
	struct flow_key key;
	struct flow *flow;

	for (size_t i = 0; i < array_length(icmp_pairs); i++) {
		if (icmp_pairs[i].protocol != packet->protocol ||
		    icmp_pairs[i].request != packet->icmp_type)
			continue;
		flow_key_make(packet, false, &key);
		key.icmp_type = icmp_pairs[i].reply;
		flow = map_add(flows->table, &key, sizeof(key));
		if (flow)
			opened_by_peer(flow, packet, now_ns);
	}
}

void flows_received(struct flows *flows, const struct packet *packet, bool to_group,
		    uint64_t now_ns)
{
	enum signal signal = signal_of(packet);

	if (is_icmp(packet->protocol)) {
		if (signal == SIGNAL_DATA)
			received_icmp(flows, packet, now_ns);
	} else if (signal == SIGNAL_DATA && to_group) {
		if (is_udp(packet->protocol) && !is_group_answer(packet))
			queries_add(flows->queries, packet, false, now_ns);
	} else if (signal == SIGNAL_DATA) {
		received_datagram(flows, packet, now_ns);
	} else if (signal == SIGNAL_OPEN && !to_group) {
		received_open(flows, packet, now_ns);
	}
}
