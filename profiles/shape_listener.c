/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "profiles/shape.h"
#include "profiles/text_kinds.h"

static int read_listener_address(const struct place *at, const struct field *field,
				 const struct node *value, void *target)
{
	struct profile_listener *listener = target;
	const char *text = node_string(value);

	(void)field;
	listener->any_address = text && strcmp(text, "any") == 0;
	listener->loopback = text && strcmp(text, "loopback") == 0;
	if (listener->any_address || listener->loopback)
		return 0;
	if (!text || !text_address.is_valid(text))
		return fault_expected(at, "any, loopback or an address in its canonical form",
				      value);
	return ip_parse(text, &listener->address);
}

static int write_listener_address(const struct place *at, const struct field *field,
				  const void *target, json_t **ret_value)
{
	char text[IP_TEXT_SIZE];

	(void)field;
	listener_address_format(target, text);
	*ret_value = json_string(text);
	return *ret_value ? 0 : fault_memory(at);
}

static const struct value_type value_listener_address = {read_listener_address,
							 write_listener_address};

static const struct {
	const char *name;
	size_t offset;
} families[] = {
	{"ipv4", offsetof(struct profile_listener, ipv4)},
	{"ipv6", offsetof(struct profile_listener, ipv6)},
};

static int read_family(const struct place *at, const char *text, const struct node *value,
		       struct profile_listener *listener)
{
	for (size_t i = 0; text && i < array_length(families); i++) {
		bool *flag = (bool *)((char *)listener + families[i].offset);

		if (strcmp(families[i].name, text) != 0)
			continue;
		if (*flag)
			return fault_set(at, EINVAL, "duplicate of an earlier entry");
		*flag = true;
		return 0;
	}
	return fault_expected(at, "ipv4 or ipv6", value);
}

static int read_families(const struct place *at, const struct field *field,
			 const struct node *value, void *target)
{
	const struct node *item = node_first(value);
	int result = array_expect(at, value);

	(void)field;
	if (result == 0 && node_count(value) == 0)
		return fault_set(at, EINVAL, "expected ipv4, ipv6 or both, found neither");
	for (size_t i = 0; result == 0 && i < node_count(value); i++, item = node_next(item)) {
		struct place child = {at->fault, at, NULL, i};

		result = read_family(&child, node_string(item), item, target);
	}
	return result;
}

static int write_families(const struct place *at, const struct field *field, const void *target,
			  json_t **ret_value)
{
	json_t *array = json_array();

	(void)field;
	for (size_t i = 0; i < array_length(families); i++) {
		if (!*(const bool *)((const char *)target + families[i].offset))
			continue;
		if (json_array_append_new(array, json_string(families[i].name)) < 0) {
			json_decref(array);
			return fault_memory(at);
		}
	}
	*ret_value = array;
	return array ? 0 : fault_memory(at);
}

static const struct value_type value_families = {read_families, write_families};

static int read_port_number(const struct place *at, const struct node *value, uint16_t *target)
{
	uint64_t number;
	int result = number_read(at, value, 0, UINT16_MAX, &number);

	if (result == 0)
		*target = (uint16_t)number;
	return result;
}

static int read_listener_port(const struct place *at, const struct field *field,
			      const struct node *value, void *target)
{
	(void)field;
	return read_port_number(at, value, target);
}

static int write_listener_port(const struct place *at, const struct field *field,
			       const void *target, json_t **ret_value)
{
	(void)field;
	*ret_value = json_integer(*(const uint16_t *)target);
	return *ret_value ? 0 : fault_memory(at);
}

static const struct value_type value_listener_port = {read_listener_port, write_listener_port};

static int check_listener(const struct place *at, const void *target)
{
	const struct profile_listener *listener = target;

	if (!protocol_has_ports(listener->protocol))
		return fault_set(at, EINVAL, "the protocol of a listener has to have ports");
	if (!listener->ipv4 && !listener->ipv6)
		return fault_set(at, EINVAL, "a listener has to have a family");
	if (listener->any_address || listener->loopback)
		return 0;
	if (listener->ipv4 != (listener->address.family == 4) ||
	    listener->ipv6 != (listener->address.family == 6))
		return fault_set(at, EINVAL, "the family is not the address's");
	return 0;
}

#define LISTENER(member) offsetof(struct profile_listener, member)
static const struct field listener_fields[] = {
	{.key = "protocol", .type = &value_protocol, .offset = LISTENER(protocol)},
	{.key = "address", .type = &value_listener_address},
	{.key = "family", .type = &value_families},
	{.key = "port", .type = &value_listener_port, .offset = LISTENER(port)},
	{.key = "program",
	 .type = &value_text,
	 .offset = LISTENER(program),
	 .optional = true,
	 .text = &text_path},
};
static const struct shape listener_shape = {listener_fields, array_length(listener_fields),
					    check_listener};

static void *add_listener(void *network)
{
	return network_add_listener(network);
}

const struct entry_array listener_entries = {
	.shape = &listener_shape,
	.add = add_listener,
	.compare = listener_compare,
	.item_size = sizeof(struct profile_listener),
	.items_offset = offsetof(struct profile_network, listeners),
	.count_offset = offsetof(struct profile_network, listener_count),
};
