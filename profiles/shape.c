/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/shape.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "profiles/text_kinds.h"

static int read_phase(const struct place *at, const struct field *field, const json_t *value,
		      void *target)
{
	const char *text = json_string_value(value);

	(void)field;
	if (text && phase_parse(text, target) == 0)
		return 0;
	return fault_expected(at, "boot, steady or both", value);
}

static int write_phase(const struct place *at, const struct field *field, const void *target,
		       json_t **ret_value)
{
	const char *name = phase_name(*(const enum profile_phase *)target);

	(void)field;
	if (!name)
		return fault_set(at, EINVAL, "is not known and has to be");
	*ret_value = json_string(name);
	return *ret_value ? 0 : fault_memory(at);
}

static const struct value_type value_phase = {read_phase, write_phase};

/* "any", or a list of argument vectors, or null: not known. */
static int read_arguments(const struct place *at, const struct field *field, const json_t *value,
			  void *target)
{
	struct profile_program *program = target;
	const char *text = json_string_value(value);
	int result;

	program->any_arguments = text && strcmp(text, "any") == 0;
	if (program->any_arguments)
		return 0;
	if (!json_is_array(value) || json_array_size(value) == 0)
		return fault_expected(at, "any, null or a list of argument vectors", value);
	result = array_expect(at, value);
	for (size_t i = 0; result == 0 && i < json_array_size(value); i++) {
		struct place child = {at->fault, at, NULL, i};
		struct string_list *vector = program_add_arguments(program);

		result = vector ? text_list_read(&child, field->text, json_array_get(value, i),
						 vector)
				: fault_memory(&child);
	}
	return result < 0 ? result
			  : duplicates_refuse(at, program->arguments, program->argument_count,
					      sizeof(*program->arguments), string_list_compare);
}

static int write_vectors(const struct place *at, const struct field *field,
			 const struct profile_program *program, json_t *array)
{
	for (size_t i = 0; i < program->argument_count; i++) {
		struct place child = {at->fault, at, NULL, i};
		json_t *vector = NULL;
		int result = text_list_write(&child, field->text, &program->arguments[i], &vector);

		if (result < 0)
			return result;
		if (json_array_append_new(array, vector) < 0)
			return fault_memory(at);
	}
	return 0;
}

static int write_arguments(const struct place *at, const struct field *field, const void *target,
			   json_t **ret_value)
{
	const struct profile_program *program = target;
	json_t *value;
	int result = 0;

	if (program->any_arguments)
		value = json_string("any");
	else
		value = program->argument_count ? json_array() : json_null();
	if (!value)
		return fault_memory(at);
	if (json_is_array(value))
		result = write_vectors(at, field, program, value);
	if (result < 0)
		json_decref(value);
	else
		*ret_value = value;
	return result;
}

static const struct value_type value_arguments = {read_arguments, write_arguments};

/* More than any link carries. */
#define RATE_KBIT_LIMIT UINT64_C(1000000000)

/* kbit/s; null: not limited, 0 in memory. */
static int read_rate(const struct place *at, const struct field *field, const json_t *value,
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

#define TEXT_FIELD(name, member, kind)                                                             \
	{                                                                                          \
		.key = (name), .type = &value_text, .offset = (member), .text = &(kind)            \
	}
#define NULLABLE_FIELD(name, member, kind)                                                         \
	{                                                                                          \
		.key = (name), .type = &value_text, .offset = (member), .optional = true,          \
		.text = &(kind)                                                                    \
	}
#define SET_FIELD(name, member, kind)                                                              \
	{                                                                                          \
		.key = (name), .type = &value_text_list, .offset = (member), .optional = true,     \
		.text = &(kind)                                                                    \
	}
#define ENTRIES_FIELD(name, member, array)                                                         \
	{                                                                                          \
		.key = (name), .type = &value_entries, .offset = (member), .optional = true,       \
		.entries = &(array)                                                                \
	}

#define PROGRAM(member) offsetof(struct profile_program, member)
static const struct field program_fields[] = {
	TEXT_FIELD("path", PROGRAM(path), text_path),
	NULLABLE_FIELD("sha256", PROGRAM(sha256), text_sha256),
	{.key = "phase", .type = &value_phase, .offset = PROGRAM(phase)},
	SET_FIELD("users", PROGRAM(users), text_words),
	SET_FIELD("parents", PROGRAM(parents), text_path),
	{.key = "arguments", .type = &value_arguments, .optional = true, .text = &text_argument},
};
static const struct shape program_shape = {program_fields, array_length(program_fields), NULL};

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

static void *add_program(void *profile)
{
	return profile_add_program(profile);
}

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

#define ENTRIES_OF_PROFILE(shape_of_one, add_one, compare_two, items, item_count)                  \
	{                                                                                          \
		.shape = &(shape_of_one), .add = (add_one), .compare = (compare_two),              \
		.item_size = sizeof(*((struct profile *)NULL)->items),                             \
		.items_offset = offsetof(struct profile, items),                                   \
		.count_offset = offsetof(struct profile, item_count),                              \
	}
static const struct entry_array program_entries =
	ENTRIES_OF_PROFILE(program_shape, add_program, program_compare, programs, program_count);
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

static int read_bridge(const struct place *at, const struct field *field, const json_t *value,
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

static int read_format(const struct place *at, const struct field *field, const json_t *value,
		       void *target)
{
	const char *text = json_string_value(value);

	(void)field;
	(void)target;
	if (text && strcmp(text, PROFILE_FORMAT) == 0)
		return 0;
	if (text && strncmp(text, PROFILE_FORMAT_NAME, strlen(PROFILE_FORMAT_NAME)) == 0)
		return fault_set(at, EINVAL, "this profile needs a newer rtguard: expected %s",
				 PROFILE_FORMAT);
	return fault_expected(at, PROFILE_FORMAT, value);
}

int format_expect(const struct place *at, const json_t *document)
{
	const json_t *format = json_object_get(document, "format");
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
