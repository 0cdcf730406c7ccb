/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "profiles/profile.h"

static const struct {
	uint8_t number;
	const char *name;
	bool has_ports;
	bool has_types;
} protocols[] = {
	{IPPROTO_TCP, "tcp", true, false},	    {IPPROTO_UDP, "udp", true, false},
	{IPPROTO_UDPLITE, "udp-lite", true, false}, {IPPROTO_SCTP, "sctp", true, false},
	{IPPROTO_ICMP, "icmp", false, true},	    {IPPROTO_ICMPV6, "icmpv6", false, true},
};

static const char *const roles[] = {
	[ROLE_RESOLVER] = "resolver",	    [ROLE_GATEWAY] = "gateway",
	[ROLE_DHCP_SERVER] = "dhcp-server", [ROLE_LAN] = "lan",
	[ROLE_MULTICAST] = "multicast",	    [ROLE_BROADCAST] = "broadcast",
	[ROLE_INTERNET] = "internet",
};

static const char *const phases[] = {
	[PHASE_BOOT] = "boot",
	[PHASE_STEADY] = "steady",
	[PHASE_BOTH] = "both",
};

static const char *const peer_kinds[] = {
	[PEER_HOST] = "host", [PEER_DOMAIN] = "domain",	  [PEER_PATTERN] = "pattern",
	[PEER_ROLE] = "role", [PEER_ADDRESS] = "address",
};

static const char *const port_kinds[] = {
	[PORT_ANY] = "any",
	[PORT_HIGH] = "high",
	[PORT_EPHEMERAL] = "ephemeral",
	[PORT_SAME] = "same",
};

void protocol_format(uint8_t protocol, char text[PROTOCOL_TEXT_SIZE])
{
	for (size_t i = 0; i < array_length(protocols); i++) {
		if (protocols[i].number == protocol) {
			(void)snprintf(text, PROTOCOL_TEXT_SIZE, "%s", protocols[i].name);
			return;
		}
	}
	(void)snprintf(text, PROTOCOL_TEXT_SIZE, "%u", protocol);
}

int protocol_parse(const char *text, uint8_t *ret_protocol)
{
	char canonical[PROTOCOL_TEXT_SIZE];
	uint64_t number;

	for (size_t i = 0; i < array_length(protocols); i++) {
		if (strcmp(protocols[i].name, text) == 0) {
			*ret_protocol = protocols[i].number;
			return 0;
		}
	}
	if (number_parse(text, UINT8_MAX, &number) < 0)
		return -EINVAL;
	/* One way to write each: no "6" for tcp, no "047". */
	protocol_format((uint8_t)number, canonical);
	if (strcmp(canonical, text) != 0)
		return -EINVAL;
	*ret_protocol = (uint8_t)number;
	return 0;
}

bool protocol_has_ports(uint8_t protocol)
{
	for (size_t i = 0; i < array_length(protocols); i++)
		if (protocols[i].number == protocol)
			return protocols[i].has_ports;
	return false;
}

bool protocol_has_types(uint8_t protocol)
{
	for (size_t i = 0; i < array_length(protocols); i++)
		if (protocols[i].number == protocol)
			return protocols[i].has_types;
	return false;
}

static const char *name_at(const char *const *names, size_t count, size_t index)
{
	return index < count ? names[index] : NULL;
}

/* The index of a name in a table, or -EINVAL. */
static int index_of(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (names[i] && strcmp(names[i], name) == 0)
			return (int)i;
	return -EINVAL;
}

const char *role_name(enum profile_role role)
{
	return name_at(roles, array_length(roles), role);
}

int role_parse(const char *text, enum profile_role *ret_role)
{
	int index = index_of(roles, array_length(roles), text);

	if (index < 0)
		return index;
	*ret_role = (enum profile_role)index;
	return 0;
}

const char *phase_name(enum profile_phase phase)
{
	return name_at(phases, array_length(phases), phase);
}

int phase_parse(const char *text, enum profile_phase *ret_phase)
{
	int index = index_of(phases, array_length(phases), text);

	if (index < 0)
		return index;
	*ret_phase = (enum profile_phase)index;
	return 0;
}

const char *peer_kind_name(enum profile_peer_kind kind)
{
	return name_at(peer_kinds, array_length(peer_kinds), kind);
}

const char *port_kind_name(enum profile_port_kind kind)
{
	return name_at(port_kinds, array_length(port_kinds), kind);
}

int port_kind_parse(const char *text, enum profile_port_kind *ret_kind)
{
	int index = index_of(port_kinds, array_length(port_kinds), text);

	if (index < 0)
		return index;
	*ret_kind = (enum profile_port_kind)index;
	return 0;
}

static const char *or_unknown(const char *text)
{
	return text ? text : "-";
}

static char *finish(struct text *text)
{
	char *string;

	return text_finish(text, &string) < 0 ? NULL : string;
}

char *program_label(const struct profile_program *program)
{
	struct text text = {0};

	text_printf(&text, "program %s %s", or_unknown(program->path), or_unknown(program->sha256));
	return finish(&text);
}

void listener_address_format(const struct profile_listener *listener, char text[IP_TEXT_SIZE])
{
	if (listener->any_address || listener->loopback)
		(void)snprintf(text, IP_TEXT_SIZE, "%s",
			       listener->any_address ? "any" : "loopback");
	else
		ip_format(&listener->address, text);
}

char *listener_label(const struct profile_listener *listener)
{
	char protocol[PROTOCOL_TEXT_SIZE];
	char address[IP_TEXT_SIZE];
	struct text text = {0};

	protocol_format(listener->protocol, protocol);
	listener_address_format(listener, address);
	text_printf(&text, "listener %s %s %u %s", protocol, address, listener->port,
		    or_unknown(listener->program));
	return finish(&text);
}

static void append_peer(struct text *text, const struct profile_connection *connection)
{
	char address[IP_TEXT_SIZE];

	text_printf(text, "%s ", or_unknown(peer_kind_name(connection->peer_kind)));
	if (connection->peer_kind == PEER_ROLE) {
		text_append(text, or_unknown(role_name(connection->role)));
	} else if (connection->peer_kind == PEER_ADDRESS) {
		ip_format(&connection->address, address);
		text_printf(text, "%s/%u", address, connection->prefix_length);
	} else {
		text_append(text, or_unknown(connection->name));
	}
}

char *peer_label(const struct profile_connection *connection)
{
	struct text text = {0};

	append_peer(&text, connection);
	return finish(&text);
}

void connection_port_format(const struct profile_connection *connection, char text[PORT_TEXT_SIZE])
{
	const char *kind = port_kind_name(connection->port_kind);
	char number[8];
	char local[16] = "";

	if (protocol_has_types(connection->protocol)) {
		(void)snprintf(text, PORT_TEXT_SIZE, "type %u", connection->icmp_type);
		return;
	}
	if (!protocol_has_ports(connection->protocol)) {
		(void)snprintf(text, PORT_TEXT_SIZE, "-");
		return;
	}
	(void)snprintf(number, sizeof(number), "%u", connection->port);
	if (connection->local_port)
		(void)snprintf(local, sizeof(local), " from %u", connection->local_port);
	(void)snprintf(text, PORT_TEXT_SIZE, "%s%s", kind ? kind : number, local);
}

char *connection_label(const struct profile_connection *connection)
{
	char protocol[PROTOCOL_TEXT_SIZE];
	char port[PORT_TEXT_SIZE];
	struct text text = {0};

	protocol_format(connection->protocol, protocol);
	connection_port_format(connection, port);
	text_printf(&text, "%s ", protocol);
	append_peer(&text, connection);
	text_printf(&text, " %s %s", port, or_unknown(connection->program));
	return finish(&text);
}
