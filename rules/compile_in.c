/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way in: listeners, answers that no connection tells of, and what the IP stack needs. */
#include <errno.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "profiles/port.h"
#include "rules/compile_private.h"

#define PORT_DHCP_SERVER   67 /* RFC 2131 section 4.1 */
#define PORT_DHCP_CLIENT   68
#define PORT_DHCPV6_SERVER 547 /* RFC 8415 section 7.2 */
#define PORT_DHCPV6_CLIENT 546

/* First packets; what belongs to nothing opens nothing. */
#define STATES_OPENING (STATE_NEW | STATE_RELATED | STATE_UNTRACKED)

/* Listeners that one rule is for. */
struct doors {
	uint8_t protocol;
	unsigned int families;
	bool any_address; /* else addresses and ports of all protocols are in one set */
	uint16_t set;
	size_t count;
	const struct profile_listener *first;
};

static bool is_any(const struct profile_listener *listener)
{
	return listener->any_address ||
	       (!listener->loopback && ip_scope(&listener->address) == ADDRESS_UNSPECIFIED);
}

bool listener_is_reached(const struct profile_listener *listener)
{
	return listener->any_address ||
	       (!listener->loopback && ip_scope(&listener->address) != ADDRESS_LOOPBACK);
}

static unsigned int families_of(const struct profile_listener *listener)
{
	if (listener->any_address)
		return (listener->ipv4 ? RULE_IPV4 : 0u) | (listener->ipv6 ? RULE_IPV6 : 0u);
	return listener->address.family == 4 ? RULE_IPV4 : RULE_IPV6;
}

static bool fits(const struct doors *doors, const struct profile_listener *listener)
{
	return listener_is_reached(listener) && listener->protocol == doors->protocol &&
	       is_any(listener) == doors->any_address &&
	       (!doors->any_address || families_of(listener) == doors->families);
}

static void collect(struct compiler *compiler, struct doors *doors)
{
	static const char *const family_names[] = {
		[RULE_IPV4] = "4", [RULE_IPV6] = "6", [RULE_BOTH_FAMILIES] = ""};
	const struct profile_network *network = compiler->network;
	char protocol[PROTOCOL_TEXT_SIZE];

	protocol_format(doors->protocol, protocol);
	for (size_t i = 0; i < network->listener_count; i++) {
		const struct profile_listener *listener = &network->listeners[i];

		if (!fits(doors, listener))
			continue;
		if (!doors->count++) {
			doors->first = listener;
			doors->set = doors->any_address
					     ? compile_set(compiler, SET_PORT, false, "in-%s%s",
							   protocol, family_names[doors->families])
					     : compile_set(compiler, SET_ADDRESS_PORT, false,
							   "at-%s", protocol);
		}
		if (doors->any_address)
			compile_ports(compiler, doors->set, listener->port, listener->port);
		else
			compile_prefix(compiler, doors->set, &listener->address,
				       listener->address.family == 4 ? 32 : 128, listener->protocol,
				       listener->port);
		doors->families |= families_of(listener);
	}
}

static void limit_rate(const struct compiler *compiler, struct rule_match *match)
{
	match->rate_per_s = compiler->options->inbound_per_s;
	match->burst = match->rate_per_s;
	match->rate_per_source = match->rate_per_s > 0;
}

static void open_doors(struct compiler *compiler, const struct doors *doors)
{
	uint16_t in = compiler->chains[HOOK_IN];
	_cleanup_(freep) char *label = listener_label(doors->first);
	char protocol[PROTOCOL_TEXT_SIZE];
	char comment[RULE_COMMENT_SIZE + 32];
	struct rule_match match = match_all;
	struct rule_match asked;
	struct rule *rule;

	if (!label) {
		compiler->failure = -ENOMEM;
		return;
	}
	protocol_format(doors->protocol, protocol);
	if (doors->count == 1)
		(void)snprintf(comment, sizeof(comment), "%s", label);
	else
		(void)snprintf(comment, sizeof(comment), "%s listeners of the profile, %zu entries",
			       protocol, doors->count);
	match.families = doors->families;
	match.states = STATES_OPENING;
	match_protocol(&match, doors->protocol);
	(void)match_lookup(&match, doors->set, SIDE_LOCAL, false);
	if (doors->protocol == IPPROTO_UDP) {
		asked = match;
		(void)match_lookup(&asked, set_lan(compiler), SIDE_REMOTE, false);
		rule = compile_rule_like(compiler, in, &asked, RULE_NOTE, "may be answered: %s",
					 comment);
		rule->set = set_asked(compiler);
		rule->side = SIDE_REMOTE;
		rule->seconds = NOTE_SECONDS;
	}
	if (compiler->options->inbound_from_lan)
		(void)match_lookup(&match, set_lan(compiler), SIDE_REMOTE, false);
	limit_rate(compiler, &match);
	(void)compile_rule_like(compiler, in, &match, RULE_PERMIT, "%s", comment);
}

static void permit_listeners(struct compiler *compiler)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP,
					    IPPROTO_UDPLITE};
	static const unsigned int families[] = {RULE_BOTH_FAMILIES, RULE_IPV4, RULE_IPV6, 0};

	for (size_t i = 0; i < array_length(protocols); i++) {
		for (size_t j = 0; j < array_length(families); j++) {
			struct doors doors = {.protocol = protocols[i],
					      .families = families[j],
					      .any_address = families[j] != 0};

			collect(compiler, &doors);
			if (doors.count)
				open_doors(compiler, &doors);
		}
	}
}

static void permit_asked_neighbours(struct compiler *compiler)
{
	struct rule_match match = match_all;

	if (compiler->asking == RULE_NONE)
		return;
	match_protocol(&match, IPPROTO_UDP);
	(void)match_lookup(&match, compiler->asking, SIDE_LOCAL, false);
	(void)match_lookup(&match, set_lan(compiler), SIDE_REMOTE, false);
	(void)compile_rule_like(compiler, compiler->chains[HOOK_IN], &match, RULE_PERMIT,
				"neighbours answer what all of them were asked");
}

/* Offers come from addresses that nobody asked: the question went to all. */
static void permit_dhcp(struct compiler *compiler, unsigned int family, uint16_t server,
			uint16_t client)
{
	const struct profile_network *network = compiler->network;
	bool asks = false;
	struct rule *rule;

	for (size_t i = 0; i < network->connection_count; i++) {
		const struct profile_connection *entry = &network->connections[i];
		bool by_number = entry->port_kind == PORT_NUMBER && entry->port == server;

		asks |= entry->protocol == IPPROTO_UDP && entry->peer_kind == PEER_ROLE &&
			((entry->role == ROLE_DHCP_SERVER &&
			  (by_number || entry->port_kind == PORT_ANY)) ||
			 ((entry->role == ROLE_BROADCAST || entry->role == ROLE_MULTICAST) &&
			  by_number));
	}
	if (!asks)
		return;
	rule = compile_rule(compiler, compiler->chains[HOOK_IN], RULE_PERMIT,
			    "offers of DHCP servers");
	match_protocol(&rule->match, IPPROTO_UDP);
	rule->match.families = family;
	match_remote_ports(&rule->match, server, server);
	match_local_ports(&rule->match, client, client);
}

static void permit_ping(struct compiler *compiler)
{
	static const struct {
		uint8_t protocol;
		uint8_t type;
	} requests[] = {{IPPROTO_ICMP, ICMP_ECHO}, {IPPROTO_ICMPV6, ICMPV6_ECHO_REQUEST}};

	for (size_t i = 0; compiler->options->answer_ping && i < array_length(requests); i++) {
		struct rule *rule = compile_rule(compiler, compiler->chains[HOOK_IN], RULE_PERMIT,
						 "pings are answered");

		match_icmp_type(&rule->match, requests[i].protocol, requests[i].type);
		limit_rate(compiler, &rule->match);
	}
}

static void permit_stack(struct compiler *compiler)
{
	static const struct {
		uint8_t type;
		bool groups; /* MLD: hop limit 1, from link-local addresses, RFC 3810 section 5;
				else RFC 4861 section 6.1: hop limit 255 */
	} types[] = {{133, false},
		     {134, false},
		     {135, false},
		     {136, false},
		     {137, false},
		     {ICMPV6_MGM_QUERY, true},
		     {ICMPV6_MGM_REPORT, true},
		     {ICMPV6_MGM_REDUCTION, true},
		     {ICMPV6_MLD2_REPORT, true}};
	uint16_t in = compiler->chains[HOOK_IN];
	struct rule *rule;

	rule = compile_rule(compiler, in, RULE_PERMIT, "the IP stack: group membership");
	match_protocol(&rule->match, IPPROTO_IGMP);
	rule->match.places = PLACE_MULTICAST;
	for (size_t i = 0; i < array_length(types); i++) {
		uint16_t link = set_link(compiler);

		rule = compile_rule(compiler, in, RULE_PERMIT,
				    types[i].groups ? "the IP stack: groups of this link"
						    : "the IP stack: neighbours and routers");
		match_icmp_type(&rule->match, IPPROTO_ICMPV6, types[i].type);
		if (types[i].groups)
			(void)match_lookup(&rule->match, link, SIDE_REMOTE, false);
		else
			rule->match.link_scope = true;
	}
}

void compile_in(struct compiler *compiler)
{
	uint16_t in = compiler->chains[HOOK_IN];
	struct rule_match late = match_all;
	struct rule_match others = match_all;

	compile_begin(compiler, in);
	permit_listeners(compiler);
	permit_asked_neighbours(compiler);
	permit_dhcp(compiler, RULE_IPV4, PORT_DHCP_SERVER, PORT_DHCP_CLIENT);
	permit_dhcp(compiler, RULE_IPV6, PORT_DHCPV6_SERVER, PORT_DHCPV6_CLIENT);
	permit_ping(compiler);
	permit_stack(compiler);
	late.states = STATE_INVALID;
	compile_quiet(compiler, in, &late, "late packets of connections that are over");
	/* every network is full of what is said to all: no finding */
	others.places = PLACE_MULTICAST;
	compile_quiet(compiler, in, &others, "to a group in which nobody here listens");
	others.families = RULE_IPV4;
	others.places = PLACE_BROADCAST;
	compile_quiet(compiler, in, &others, "to everybody, and nobody here listens");
	compile_refusal(compiler, in, NULL, "the end of what the profile permits");
}
