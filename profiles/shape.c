/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/shape_fields.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "profiles/text_kinds.h"

/* More than any link carries. */
#define RATE_KBIT_LIMIT UINT64_C(1000000000)

/* kbit/s; null: not limited, 0 in memory. */
static int read_rate(const struct place *at, const struct field *field, const struct node *value,
		     void *target)
{
	(void)field;
	return number_read(at, value, 1, RATE_KBIT_LIMIT, target);
}

static int write_rate(const struct place *at, const struct field *field, const void *target,
		      json_t **ret_value)
{
	uint64_t rate_kbit = *(const uint64_t *)target;

	(void)field;
	if (rate_kbit > RATE_KBIT_LIMIT)
		return fault_set(at, EINVAL, "is more than any link carries");
	*ret_value = rate_kbit ? json_integer((json_int_t)rate_kbit) : json_null();
	return *ret_value ? 0 : fault_memory(at);
}

static const struct value_type value_rate = {read_rate, write_rate};

#define SCRIPT(member) offsetof(struct profile_script, member)
static const struct field script_fields[] = {
	TEXT_FIELD("path", SCRIPT(path), text_path),
	NULLABLE_FIELD("sha256", SCRIPT(sha256), text_sha256),
	NULLABLE_FIELD("interpreter", SCRIPT(interpreter), text_path),
};
static const struct shape script_shape = {script_fields, array_length(script_fields), NULL};

#define LIBRARY(member) offsetof(struct profile_library, member)
static const struct field library_fields[] = {
	TEXT_FIELD("path", LIBRARY(path), text_path),
	NULLABLE_FIELD("sha256", LIBRARY(sha256), text_sha256),
};
static const struct shape library_shape = {library_fields, array_length(library_fields), NULL};

static void *add_script(void *profile)
{
	return profile_add_script(profile);
}

static void *add_library(void *profile)
{
	return profile_add_library(profile);
}

static void *add_device(void *profile)
{
	return profile_add_device(profile);
}

static const struct entry_array script_entries =
	ENTRIES_OF_PROFILE(script_shape, add_script, script_compare, scripts, script_count);
static const struct entry_array library_entries =
	ENTRIES_OF_PROFILE(library_shape, add_library, library_compare, libraries, library_count);

#define DEVICE(member) offsetof(struct profile_device, member)
static const struct field device_fields[] = {
	{.key = "mac", .type = &value_mac, .offset = DEVICE(mac)},
	NULLABLE_FIELD("name", DEVICE(name), text_words),
	SET_FIELD("addresses", DEVICE(addresses), text_address),
	ENTRIES_FIELD("listeners", DEVICE(network), listener_entries),
	ENTRIES_FIELD("connections", DEVICE(network), connection_entries),
	SET_FIELD("names", DEVICE(network.names), text_host_name),
	{.key = "upload_kbit",
	 .type = &value_rate,
	 .offset = DEVICE(upload_kbit),
	 .optional = true},
	{.key = "isolated", .type = &value_flag, .offset = DEVICE(isolated), .optional = true},
};
static const struct shape device_shape = {device_fields, array_length(device_fields), NULL};
static const struct entry_array device_entries =
	ENTRIES_OF_PROFILE(device_shape, add_device, device_compare, devices, device_count);

/* The members of these objects are the profile's own. */
#define PROFILE(member) offsetof(struct profile, member)
static const struct field bridge_fields[] = {
	SET_FIELD("lan", PROFILE(bridge_lan), text_interface),
	NULLABLE_FIELD("wan", PROFILE(bridge_wan), text_interface),
	ENTRIES_FIELD("devices", 0, device_entries),
};
static const struct shape bridge_shape = {bridge_fields, array_length(bridge_fields), NULL};

static int read_bridge(const struct place *at, const struct field *field, const struct node *value,
		       void *target)
{
	(void)field;
	return object_read(at, &bridge_shape, value, target);
}

/* null on a machine that bridges nothing. */
static int write_bridge(const struct place *at, const struct field *field, const void *target,
			json_t **ret_value)
{
	const struct profile *profile = target;

	(void)field;
	if (profile->bridge_lan.count || profile->bridge_wan || profile->device_count)
		return object_write(at, &bridge_shape, target, ret_value);
	*ret_value = json_null();
	return 0;
}

static const struct value_type value_bridge = {read_bridge, write_bridge};

static const struct field policy_fields[] = {
	ENTRIES_FIELD("programs", 0, program_entries),
	ENTRIES_FIELD("scripts", 0, script_entries),
	ENTRIES_FIELD("libraries", 0, library_entries),
	ENTRIES_FIELD("listeners", PROFILE(network), listener_entries),
	ENTRIES_FIELD("connections", PROFILE(network), connection_entries),
	SET_FIELD("names", PROFILE(network.names), text_host_name),
	{.key = "bridge", .type = &value_bridge, .optional = true},
};
static const struct shape policy_shape = {policy_fields, array_length(policy_fields), NULL};

static const struct field identity_fields[] = {
	NULLABLE_FIELD("name", PROFILE(device_name), text_words),
	NULLABLE_FIELD("model", PROFILE(model), text_words),
	NULLABLE_FIELD("architecture", PROFILE(architecture), text_words),
	NULLABLE_FIELD("operating_system", PROFILE(operating_system), text_words),
	NULLABLE_FIELD("kernel", PROFILE(kernel), text_words),
	{.key = "mac", .type = &value_mac, .offset = PROFILE(device_mac), .optional = true},
};
static const struct shape identity_shape = {identity_fields, array_length(identity_fields), NULL};

static int read_format(const struct place *at, const struct field *field, const struct node *value,
		       void *target)
{
	const char *text = node_string(value);

	(void)field;
	(void)target;
	if (text && strcmp(text, PROFILE_FORMAT) == 0)
		return 0;
	if (text && strncmp(text, PROFILE_FORMAT_NAME, strlen(PROFILE_FORMAT_NAME)) == 0)
		return fault_set(at, EINVAL, "this profile needs a newer rtguard: expected %s",
				 PROFILE_FORMAT);
	return fault_expected(at, PROFILE_FORMAT, value);
}

int format_expect(const struct place *at, const struct node *document)
{
	const struct node *format = node_get(document, "format");
	struct place child = {at->fault, at, "format", 0};

	return format ? read_format(&child, NULL, format, NULL) : 0;
}

static int write_format(const struct place *at, const struct field *field, const void *target,
			json_t **ret_value)
{
	(void)field;
	(void)target;
	*ret_value = json_string(PROFILE_FORMAT);
	return *ret_value ? 0 : fault_memory(at);
}

static const struct value_type value_format = {read_format, write_format};

static const struct field profile_fields[] = {
	{.key = "format", .type = &value_format},
	{.key = "device", .type = &value_object, .optional = true, .shape = &identity_shape},
	{.key = "policy", .type = &value_object, .shape = &policy_shape},
	{.key = "evidence", .type = &value_any, .offset = PROFILE(evidence), .optional = true},
	{.key = "signature", .type = &value_any, .offset = PROFILE(signature), .optional = true},
};
const struct shape profile_shape = {profile_fields, array_length(profile_fields), NULL};
/* What a signature covers. */
const struct shape signed_shape = {profile_fields + 1, 2, NULL};
