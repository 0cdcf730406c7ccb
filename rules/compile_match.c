/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What packets of a class look like. */
#include <netinet/in.h>

#include "profiles/port.h"
#include "rules/compile_private.h"

static void match_port_kind(struct compiler *compiler, const struct class_key *key,
			    struct rule_match *match)
{
	switch ((enum profile_port_kind)key->port_kind) {
	case PORT_NUMBER: /* plain, or without ports */
	case PORT_ANY:
		return;
	case PORT_HIGH:
		if (key->protocol == IPPROTO_TCP)
			(void)match_lookup(match, set_tcp_high(compiler), SIDE_REMOTE, false);
		else
			match_remote_ports(match, PORT_HIGH_FIRST, UINT16_MAX);
		return;
	case PORT_EPHEMERAL:
		match_remote_ports(match, PORT_EPHEMERAL_FIRST, UINT16_MAX);
		return;
	case PORT_SAME: /* that they are the same the gate has to see */
		match_remote_ports(match, PORT_HIGH_FIRST, UINT16_MAX);
		match_local_ports(match, PORT_HIGH_FIRST, UINT16_MAX);
		return;
	}
}

static struct rule_match class_match(struct compiler *compiler, const struct entry_class *class)
{
	const struct class_key *key = &class->key;
	struct rule_match match = match_all;

	if (key->has_protocol)
		match_protocol(&match, key->protocol);
	if (key->has_protocol && protocol_has_types(key->protocol))
		match_icmp_type(&match, key->protocol, key->icmp_type);
	if (class->set != RULE_NONE) {
		match.families &= compiler->program->sets[class->set].families;
		(void)match_lookup(&match, class->set, SIDE_REMOTE, false);
	} else if (class->ports != RULE_NONE) {
		(void)match_lookup(&match, class->ports, SIDE_REMOTE, false);
	} else if (key->plain) {
		match_remote_ports(&match, class->first_port, class->last_port);
	}
	match_port_kind(compiler, key, &match);
	if (key->local_port)
		match_local_ports(&match, key->local_port, key->local_port);
	if (key->owner == OWNER_USER) {
		match.has_user = true;
		match.user = key->user;
	}
	return match;
}

static void with_set(struct compiler *compiler, const struct entry_class *class,
		     struct rule_match match, uint16_t set, bool absent, class_match_fn each)
{
	(void)match_lookup(&match, set, SIDE_REMOTE, absent);
	each(compiler, class, &match);
}

void class_each_match(struct compiler *compiler, const struct entry_class *class,
		      class_match_fn each)
{
	struct rule_match match = class_match(compiler, class);

	if (!match.families) /* ICMP to an IPv6 prefix */
		return;
	switch ((enum class_peers) class->key.peers) {
	case CLASS_ADDRESSES:
	case CLASS_NAMES:
		each(compiler, class, &match);
		return;
	case CLASS_LAN:
		with_set(compiler, class, match, set_lan(compiler), false, each);
		return;
	case CLASS_MULTICAST:
		match.places = PLACE_MULTICAST;
		each(compiler, class, &match);
		return;
	case CLASS_BROADCAST:
		match.families &= RULE_IPV4;
		match.places = PLACE_BROADCAST;
		if (match.families)
			each(compiler, class, &match);
		return;
	case CLASS_RESOLVER:
		with_set(compiler, class, match, set_lan(compiler), false, each);
		with_set(compiler, class, match, set_resolvers(compiler), false, each);
		return;
	case CLASS_GATEWAY:
		with_set(compiler, class, match, set_gateways(compiler), false, each);
		/* where nobody has shown itself as the gateway, any neighbour may be it */
		if (!compiler->surroundings->gateway_count)
			with_set(compiler, class, match, set_lan(compiler), false, each);
		return;
	case CLASS_DHCP_SERVER:
		with_set(compiler, class, match, set_lan(compiler), false, each);
		(void)set_dhcp_servers(compiler);
		if (compiler->knows_dhcp_servers)
			with_set(compiler, class, match, set_dhcp_servers(compiler), false, each);
		return;
	case CLASS_INTERNET:
		with_set(compiler, class, match, set_special(compiler), true, each);
		return;
	}
}
