/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "profiles/shape.h"
#include "profiles/text_kinds.h"

/* The kinds of peer: exactly one of these keys stands in a peer object. */

static int read_role(const struct place *at, const struct node *value,
		     struct profile_connection *connection)
{
	const char *text = node_string(value);

	if (text && role_parse(text, &connection->role) == 0)
		return 0;
	return fault_expected(at, "a role", value);
}

static int read_prefix(const struct place *at, const struct node *value,
		       struct profile_connection *connection)
{
	const char *text = node_string(value);

	if (!text || !text_prefix.is_valid(text))
		return fault_expected(at, text_prefix.expected, value);
	return ip_parse_prefix(text, &connection->address, &connection->prefix_length);
}

static json_t *write_role(const struct profile_connection *connection)
{
	return json_string(role_name(connection->role));
}

static json_t *write_prefix(const struct profile_connection *connection)
{
	char address[IP_TEXT_SIZE];

	ip_format(&connection->address, address);
	return json_sprintf("%s/%u", address, connection->prefix_length);
}

static const struct peer_type {
	enum profile_peer_kind kind;
	const struct text_kind *name; /* the connection's name, or: */
	int (*read)(const struct place *at, const struct node *value,
		    struct profile_connection *connection);
	json_t *(*write)(const struct profile_connection *connection);
} peer_types[] = {
	{PEER_HOST, &text_host_name, NULL, NULL},	 {PEER_DOMAIN, &text_host_name, NULL, NULL},
	{PEER_PATTERN, &text_name_pattern, NULL, NULL},	 {PEER_ROLE, NULL, read_role, write_role},
	{PEER_ADDRESS, NULL, read_prefix, write_prefix},
};

static const struct peer_type *find_peer_type(const struct node *peer,
					      const struct node **ret_value)
{
	for (size_t i = 0; i < array_length(peer_types); i++) {
		*ret_value = node_get(peer, peer_kind_name(peer_types[i].kind));
		if (*ret_value)
			return &peer_types[i];
	}
	return NULL;
}

static int read_peer(const struct place *at, const struct field *field, const struct node *value,
		     void *target)
{
	struct profile_connection *connection = target;
	const struct peer_type *type;
	const struct node *item;
	struct place child = {at->fault, at, NULL, 0};

	(void)field;
	if (value->type != NODE_OBJECT)
		return fault_expected(at, "an object", value);
	type = find_peer_type(value, &item);
	if (!type || node_count(value) != 1)
		return fault_set(at, EINVAL,
				 "expected one of host, domain, pattern, role, address, and "
				 "nothing else");
	child.key = peer_kind_name(type->kind);
	connection->peer_kind = type->kind;
	if (type->name)
		return text_read(&child, type->name, item, &connection->name);
	return type->read(&child, item, connection);
}

static int write_peer_value(const struct place *at, const struct peer_type *type,
			    const struct profile_connection *connection, json_t **ret_value)
{
	if (!type->name)
		*ret_value = type->write(connection);
	else if (!connection->name)
		return fault_set(at, EINVAL, "is not known and has to be");
	else
		return text_write(at, type->name, connection->name, ret_value);
	return *ret_value ? 0 : fault_memory(at);
}

static int write_peer(const struct place *at, const struct field *field, const void *target,
		      json_t **ret_value)
{
	const struct profile_connection *connection = target;
	const char *key = peer_kind_name(connection->peer_kind);

	(void)field;
	for (size_t i = 0; i < array_length(peer_types); i++) {
		json_t *value = NULL;
		int result;

		if (peer_types[i].kind != connection->peer_kind)
			continue;
		result = write_peer_value(at, &peer_types[i], connection, &value);
		if (result < 0)
			return result;
		*ret_value = json_pack("{s:o}", key, value);
		return *ret_value ? 0 : fault_memory(at);
	}
	return fault_set(at, EINVAL, "is of no known kind");
}

static const struct value_type value_peer = {read_peer, write_peer};

static int read_port(const struct place *at, const struct field *field, const struct node *value,
		     void *target)
{
	struct profile_connection *connection = target;
	const char *text = node_string(value);
	uint64_t number;
	int result;

	(void)field;
	if (text && port_kind_parse(text, &connection->port_kind) == 0)
		return 0;
	if (text)
		return fault_expected(at, "a number, any, high, ephemeral or same", value);
	result = number_read(at, value, 0, UINT16_MAX, &number);
	if (result == 0)
		connection->port = (uint16_t)number;
	return result;
}

static int write_port(const struct place *at, const struct field *field, const void *target,
		      json_t **ret_value)
{
	const struct profile_connection *connection = target;
	const char *kind = port_kind_name(connection->port_kind);

	(void)field;
	*ret_value = kind ? json_string(kind) : json_integer(connection->port);
	return *ret_value ? 0 : fault_memory(at);
}

static const struct value_type value_port = {read_port, write_port};

/* The one key that is left out where it says nothing. */
static int read_local_port(const struct place *at, const struct field *field,
			   const struct node *value, void *target)
{
	uint64_t number;
	int result = number_read(at, value, 1, UINT16_MAX, &number);

	(void)field;
	if (result == 0)
		*(uint16_t *)target = (uint16_t)number;
	return result;
}

static int write_local_port(const struct place *at, const struct field *field, const void *target,
			    json_t **ret_value)
{
	uint16_t port = *(const uint16_t *)target;

	(void)field;
	*ret_value = port ? json_integer(port) : NULL;
	return *ret_value || !port ? 0 : fault_memory(at);
}

static const struct value_type value_local_port = {read_local_port, write_local_port};

static int read_type(const struct place *at, const struct field *field, const struct node *value,
		     void *target)
{
	uint64_t number;
	int result = number_read(at, value, 0, UINT8_MAX, &number);

	(void)field;
	if (result == 0)
		*(uint8_t *)target = (uint8_t)number;
	return result;
}

static int write_type(const struct place *at, const struct field *field, const void *target,
		      json_t **ret_value)
{
	(void)field;
	*ret_value = json_integer(*(const uint8_t *)target);
	return *ret_value ? 0 : fault_memory(at);
}

static const struct value_type value_icmp_type = {read_type, write_type};

static bool has_port(const void *target)
{
	return protocol_has_ports(((const struct profile_connection *)target)->protocol);
}

static bool has_type(const void *target)
{
	return protocol_has_types(((const struct profile_connection *)target)->protocol);
}

#define CONNECTION(member) offsetof(struct profile_connection, member)
static const struct field connection_fields[] = {
	{.key = "protocol", .type = &value_protocol, .offset = CONNECTION(protocol)},
	{.key = "peer", .type = &value_peer},
	{.key = "port", .type = &value_port, .applies = has_port},
	{.key = "local_port",
	 .type = &value_local_port,
	 .offset = CONNECTION(local_port),
	 .applies = has_port,
	 .optional = true},
	{.key = "type",
	 .type = &value_icmp_type,
	 .offset = CONNECTION(icmp_type),
	 .applies = has_type},
	{.key = "program",
	 .type = &value_text,
	 .offset = CONNECTION(program),
	 .optional = true,
	 .text = &text_path},
};
static const struct shape connection_shape = {connection_fields, array_length(connection_fields),
					      NULL};

static void *add_connection(void *network)
{
	return network_add_connection(network);
}

const struct entry_array connection_entries = {
	.shape = &connection_shape,
	.add = add_connection,
	.compare = connection_compare,
	.item_size = sizeof(struct profile_connection),
	.items_offset = offsetof(struct profile_network, connections),
	.count_offset = offsetof(struct profile_network, connection_count),
};
