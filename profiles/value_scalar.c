/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "profiles/value.h"

int number_read(const struct place *at, const struct node *value, uint64_t lowest, uint64_t highest,
		uint64_t *target)
{
	char expected[80];

	if (value->type == NODE_INTEGER && value->integer >= 0 &&
	    (uint64_t)value->integer >= lowest && (uint64_t)value->integer <= highest) {
		*target = (uint64_t)value->integer;
		return 0;
	}
	(void)snprintf(expected, sizeof(expected), "a number from %" PRIu64 " to %" PRIu64, lowest,
		       highest);
	return fault_expected(at, expected, value);
}

static int read_flag(const struct place *at, const struct field *field, const struct node *value,
		     void *target)
{
	(void)field;
	if (value->type != NODE_TRUE && value->type != NODE_FALSE)
		return fault_expected(at, "true or false", value);
	*(bool *)target = value->type == NODE_TRUE;
	return 0;
}

static int read_mac(const struct place *at, const struct field *field, const struct node *value,
		    void *target)
{
	const char *text = node_string(value);
	char canonical[MAC_TEXT_SIZE];
	struct mac_address mac;

	(void)field;
	if (text && mac_parse(text, &mac) == 0 && !mac_is_zero(&mac) && !mac_is_multicast(&mac)) {
		mac_format(&mac, canonical);
		if (strcmp(canonical, text) == 0) {
			*(struct mac_address *)target = mac;
			return 0;
		}
	}
	return fault_expected(at, "a station's MAC in lower case with colons", value);
}

static int read_protocol(const struct place *at, const struct field *field,
			 const struct node *value, void *target)
{
	const char *text = node_string(value);

	(void)field;
	if (text && protocol_parse(text, target) == 0)
		return 0;
	return fault_expected(
		at, "tcp, udp, udp-lite, sctp, icmp, icmpv6 or another's number as text", value);
}

static int write_protocol(const struct place *at, const struct field *field, const void *target,
			  json_t **ret_value)
{
	char text[PROTOCOL_TEXT_SIZE];

	(void)field;
	protocol_format(*(const uint8_t *)target, text);
	*ret_value = json_string(text);
	return *ret_value ? 0 : fault_memory(at);
}

/* Kept whatever it says; only its strings are bounded. */
static int check_bounds(const struct place *at, const struct node *value)
{
	struct place child = {at->fault, at, NULL, 0};
	const struct node *item = node_first(value);

	if (value->type == NODE_STRING && value->length > PROFILE_STRING_LIMIT)
		return fault_set(at, EFBIG, "expected at most %u bytes, found %" PRIu32,
				 PROFILE_STRING_LIMIT, value->length);
	for (; child.index < node_count(value); child.index++, item = node_next(item)) {
		int result;

		if (value->type == NODE_OBJECT)
			child.key = item++->text;
		result = check_bounds(&child, item);
		if (result < 0)
			return result;
	}
	return 0;
}

static int read_any(const struct place *at, const struct field *field, const struct node *value,
		    void *target)
{
	int result;

	(void)field;
	if (value->type != NODE_OBJECT)
		return fault_expected(at, "an object", value);
	result = check_bounds(at, value);
	if (result < 0)
		return result;
	*(json_t **)target = node_to_json(value);
	return *(json_t **)target ? 0 : fault_memory(at);
}

static int write_flag(const struct place *at, const struct field *field, const void *target,
		      json_t **ret_value)
{
	(void)at;
	(void)field;
	*ret_value = json_boolean(*(const bool *)target);
	return 0;
}

static int write_mac(const struct place *at, const struct field *field, const void *target,
		     json_t **ret_value)
{
	const struct mac_address *mac = target;
	char text[MAC_TEXT_SIZE];

	if (mac_is_zero(mac) && !field->optional)
		return fault_set(at, EINVAL, "is not known and has to be");
	mac_format(mac, text);
	*ret_value = mac_is_zero(mac) ? json_null() : json_string(text);
	return *ret_value ? 0 : fault_memory(at);
}

static int write_any(const struct place *at, const struct field *field, const void *target,
		     json_t **ret_value)
{
	json_t *value = *(json_t *const *)target;

	(void)at;
	(void)field;
	*ret_value = value ? json_incref(value) : json_null();
	return 0;
}

const struct value_type value_flag = {read_flag, write_flag};
const struct value_type value_mac = {read_mac, write_mac};
const struct value_type value_protocol = {read_protocol, write_protocol};
const struct value_type value_any = {read_any, write_any};
