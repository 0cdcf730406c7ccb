/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sets that several parts use: made when they are asked for, so that none is there in vain. */
#include <jansson.h>

#include "profiles/port.h"
#include "rules/compile_private.h"

/* Of a link with a default route and nothing else everything would be a neighbour. */
static void add_on_link(struct compiler *compiler, uint16_t set)
{
	const struct rules_surroundings *surroundings = compiler->surroundings;

	for (size_t i = 0; i < surroundings->on_link_count; i++)
		if (surroundings->on_link[i].prefix_length > 0)
			compile_prefix(compiler, set, &surroundings->on_link[i].address,
				       surroundings->on_link[i].prefix_length, 0, 0);
}

uint16_t set_lan(struct compiler *compiler)
{
	const struct ip_scope_prefix *scopes;
	size_t count;

	if (compiler->lan != RULE_NONE)
		return compiler->lan;
	compiler->lan = compile_set(compiler, SET_PREFIX, false, RULES_SET_LAN);
	scopes = ip_scope_prefixes(&count);
	for (size_t i = 0; i < count; i++)
		if (scopes[i].scope == ADDRESS_PRIVATE || scopes[i].scope == ADDRESS_LINK_LOCAL)
			compile_prefix(compiler, compiler->lan, &scopes[i].prefix, scopes[i].length,
				       0, 0);
	add_on_link(compiler, compiler->lan);
	return compiler->lan;
}

uint16_t set_special(struct compiler *compiler)
{
	const struct ip_scope_prefix *scopes;
	size_t count;

	if (compiler->special != RULE_NONE)
		return compiler->special;
	compiler->special = compile_set(compiler, SET_PREFIX, false, "special");
	scopes = ip_scope_prefixes(&count);
	for (size_t i = 0; i < count; i++)
		compile_prefix(compiler, compiler->special, &scopes[i].prefix, scopes[i].length, 0,
			       0);
	add_on_link(compiler, compiler->special);
	return compiler->special;
}

uint16_t set_link(struct compiler *compiler)
{
	const struct ip_scope_prefix *scopes;
	size_t count;

	if (compiler->link != RULE_NONE)
		return compiler->link;
	compiler->link = compile_set(compiler, SET_PREFIX, false, "link");
	if (compiler->link != RULE_NONE)
		compiler->program->sets[compiler->link].families = RULE_IPV6;
	scopes = ip_scope_prefixes(&count);
	for (size_t i = 0; i < count; i++)
		if (scopes[i].prefix.family == 6 &&
		    (scopes[i].scope == ADDRESS_PRIVATE || scopes[i].scope == ADDRESS_LINK_LOCAL ||
		     scopes[i].scope == ADDRESS_MULTICAST))
			compile_prefix(compiler, compiler->link, &scopes[i].prefix,
				       scopes[i].length, 0, 0);
	return compiler->link;
}

static void add_host(struct compiler *compiler, uint16_t set, const struct ip_address *address)
{
	compile_prefix(compiler, set, address, address->family == 4 ? 32 : 128, 0, 0);
}

/* Who played the role while learning; whether any of them is not of the local network. */
static bool add_learnt(struct compiler *compiler, uint16_t set, const char *role)
{
	const json_t *list =
		json_object_get(json_object_get(compiler->profile->evidence, "roles"), role);
	bool any_elsewhere = false;
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		struct ip_address address;

		if (!json_is_string(item) || ip_parse(json_string_value(item), &address) < 0)
			continue;
		add_host(compiler, set, &address);
		any_elsewhere |= !ip_is_local_network(&address);
	}
	return any_elsewhere;
}

uint16_t set_resolvers(struct compiler *compiler)
{
	const struct rules_surroundings *surroundings = compiler->surroundings;

	if (compiler->resolvers != RULE_NONE)
		return compiler->resolvers;
	compiler->resolvers = compile_set(compiler, SET_ADDRESS, false, RULES_SET_RESOLVERS);
	for (size_t i = 0; i < surroundings->resolver_count; i++)
		add_host(compiler, compiler->resolvers, &surroundings->resolvers[i]);
	(void)add_learnt(compiler, compiler->resolvers, "resolver");
	return compiler->resolvers;
}

uint16_t set_gateways(struct compiler *compiler)
{
	const struct rules_surroundings *surroundings = compiler->surroundings;

	if (compiler->gateways != RULE_NONE)
		return compiler->gateways;
	compiler->gateways = compile_set(compiler, SET_ADDRESS, false, RULES_SET_GATEWAYS);
	for (size_t i = 0; i < surroundings->gateway_count; i++)
		add_host(compiler, compiler->gateways, &surroundings->gateways[i]);
	(void)add_learnt(compiler, compiler->gateways, "gateway");
	return compiler->gateways;
}

uint16_t set_dhcp_servers(struct compiler *compiler)
{
	if (compiler->dhcp_servers != RULE_NONE)
		return compiler->dhcp_servers;
	compiler->dhcp_servers = compile_set(compiler, SET_ADDRESS, false, "dhcp-servers");
	compiler->knows_dhcp_servers = add_learnt(compiler, compiler->dhcp_servers, "dhcp-server");
	return compiler->dhcp_servers;
}

uint16_t set_tcp_high(struct compiler *compiler)
{
	uint32_t first = 0;

	if (compiler->tcp_high != RULE_NONE)
		return compiler->tcp_high;
	compiler->tcp_high = compile_set(compiler, SET_PORT, false, "tcp-high");
	for (uint32_t port = PORT_HIGH_FIRST; port <= UINT16_MAX + 1u; port++) {
		bool covered = port <= UINT16_MAX && !port_is_tcp_service((uint16_t)port);

		if (covered && !first)
			first = port;
		if (!covered && first) {
			compile_ports(compiler, compiler->tcp_high, (uint16_t)first,
				      (uint16_t)(port - 1));
			first = 0;
		}
	}
	return compiler->tcp_high;
}

uint16_t set_asked(struct compiler *compiler)
{
	if (compiler->asked == RULE_NONE)
		compiler->asked = compile_set(compiler, SET_ADDRESS_PORT, true, "asked");
	return compiler->asked;
}

uint16_t set_asking(struct compiler *compiler)
{
	if (compiler->asking == RULE_NONE)
		compiler->asking = compile_set(compiler, SET_PORT, true, "asking");
	return compiler->asking;
}
