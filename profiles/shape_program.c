/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the file says of programs. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "profiles/shape_fields.h"

static int read_phase(const struct place *at, const struct field *field, const struct node *value,
		      void *target)
{
	const char *text = node_string(value);

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
static int read_arguments(const struct place *at, const struct field *field,
			  const struct node *value, void *target)
{
	struct profile_program *program = target;
	const struct node *item = node_first(value);
	const char *text = node_string(value);
	int result;

	program->any_arguments = text && strcmp(text, "any") == 0;
	if (program->any_arguments)
		return 0;
	if (value->type != NODE_ARRAY || node_count(value) == 0)
		return fault_expected(at, "any, null or a list of argument vectors", value);
	result = array_expect(at, value);
	for (size_t i = 0; result == 0 && i < node_count(value); i++, item = node_next(item)) {
		struct place child = {at->fault, at, NULL, i};
		struct string_list *vector = program_add_arguments(program);

		result = vector ? text_list_read(&child, field->text, item, vector)
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

static bool is_pinned(const void *target)
{
	return !((const struct profile_program *)target)->any_arguments;
}

/* A list of paths and directories, or null: not known. */
static int read_reads(const struct place *at, const struct field *field, const struct node *value,
		      void *target)
{
	struct profile_program *program = target;
	struct string_list *reads = &program->reads;
	int result = text_list_read(at, field->text, value, reads);

	program->knows_reads = true;
	return result < 0 ? result
			  : duplicates_refuse(at, reads->items, reads->count, sizeof(*reads->items),
					      string_compare);
}

static int write_reads(const struct place *at, const struct field *field, const void *target,
		       json_t **ret_value)
{
	const struct profile_program *program = target;

	if (program->knows_reads)
		return text_list_write(at, field->text, &program->reads, ret_value);
	*ret_value = json_null();
	return 0;
}

static const struct value_type value_reads = {read_reads, write_reads};

#define PROGRAM(member) offsetof(struct profile_program, member)
static const struct field program_fields[] = {
	TEXT_FIELD("path", PROGRAM(path), text_path),
	NULLABLE_FIELD("sha256", PROGRAM(sha256), text_sha256),
	{.key = "phase", .type = &value_phase, .offset = PROGRAM(phase)},
	SET_FIELD("users", PROGRAM(users), text_words),
	SET_FIELD("parents", PROGRAM(parents), text_path),
	{.key = "arguments", .type = &value_arguments, .optional = true, .text = &text_argument},
	{.key = "reads",
	 .type = &value_reads,
	 .applies = is_pinned,
	 .optional = true,
	 .text = &text_place},
};
static const struct shape program_shape = {program_fields, array_length(program_fields), NULL};

static void *add_program(void *profile)
{
	return profile_add_program(profile);
}

const struct entry_array program_entries =
	ENTRIES_OF_PROFILE(program_shape, add_program, program_compare, programs, program_count);
