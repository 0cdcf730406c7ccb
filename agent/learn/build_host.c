/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs with their users, parents and arguments; scripts; libraries. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/text.h"
#include "learn/build.h"

int json_put(json_t *object, const char *key, json_t *value)
{
	return value && json_object_set_new(object, key, value) == 0 ? 0 : -ENOMEM;
}

json_t *seen_to_json(const struct seen *seen)
{
	char first[CLOCK_TEXT_SIZE], last[CLOCK_TEXT_SIZE];

	clock_format(seen->first_ns, first);
	clock_format(seen->last_ns, last);
	return json_pack("{s:I, s:s, s:s}", "count", (json_int_t)seen->count, "first_seen", first,
			 "last_seen", last);
}

void seen_merge(struct seen *whole, const struct seen *part)
{
	if (part->count == 0)
		return;
	if (whole->count == 0 || part->first_ns < whole->first_ns)
		whole->first_ns = part->first_ns;
	if (part->last_ns > whole->last_ns)
		whole->last_ns = part->last_ns;
	whole->count += part->count;
}

char *to_profile_text(char *text, bool *broken)
{
	char *clean;

	if (!text)
		return NULL;
	clean = text_escape(text, PROFILE_STRING_LIMIT);
	if (!clean)
		*broken = true;
	free(text);
	return clean;
}

static char *take_text(struct key_reader *reader, bool *broken)
{
	return to_profile_text(key_read_string(reader, broken), broken);
}

static char *take_sha256(struct key_reader *reader, bool *broken)
{
	const uint8_t *sha256 = key_read_sha256(reader);
	char *text;

	if (!sha256)
		return NULL;
	text = malloc(2 * 32 + 1);
	if (text)
		hex_encode(sha256, 32, text);
	else
		*broken = true;
	return text;
}

/* Position in profile->programs, plus one, by path and checksum as they stand in keys. */
static int remember(struct map *indices, const unsigned char *key, size_t size, size_t index)
{
	size_t *place = map_add(indices, key, size);

	if (!place)
		return -ENOMEM;
	*place = index + 1;
	return 0;
}

/* The program to which a row belongs whose key begins with path and checksum. */
static struct profile_program *program_of(struct build *build, struct map *indices,
					  struct key_reader *reader)
{
	const unsigned char *start = reader->at;
	const size_t *index;

	(void)key_read_text(reader);
	(void)key_read_sha256(reader);
	index = map_peek(indices, start, (size_t)(reader->at - start));
	return index && *index ? &build->profile->programs[*index - 1] : NULL;
}

static int program_evidence(struct build *build, const struct profile_program *program,
			    const struct program_value *value)
{
	_cleanup_(freep) char *label = program_label(program);
	json_t *entry = label ? seen_to_json(&value->seen) : NULL;
	int result = 0;

	if (!entry)
		return -ENOMEM;
	if (value->arguments_not_listed)
		result = json_put(entry, "arguments_not_listed",
				  json_integer((json_int_t)value->arguments_not_listed));
	if (result == 0 && value->arguments_unknown)
		result = json_put(entry, "arguments_unknown",
				  json_integer(value->arguments_unknown));
	if (result < 0) {
		json_decref(entry);
		return result;
	}
	return json_put(build->entries, label, entry);
}

static int build_programs(struct build *build, struct map *indices)
{
	for (const struct program_value *value = state_next(build->state, TABLE_PROGRAMS, NULL);
	     value; value = state_next(build->state, TABLE_PROGRAMS, value)) {
		struct key_reader reader = state_key(value);
		const unsigned char *key = reader.at;
		size_t size = reader.left;
		struct profile_program *program = profile_add_program(build->profile);
		bool broken = false;

		if (!program)
			return -ENOMEM;
		program->path = take_text(&reader, &broken);
		program->sha256 = take_sha256(&reader, &broken);
		program->phase = (enum profile_phase)value->phase;
		program->any_arguments = !value->pins_arguments;
		program->knows_reads = value->pins_arguments && value->reads_watched;
		if (broken || remember(indices, key, size, build->profile->program_count - 1) < 0 ||
		    program_evidence(build, program, value) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int build_lists(struct build *build, struct map *indices, enum table table)
{
	for (const struct seen *value = state_next(build->state, table, NULL); value;
	     value = state_next(build->state, table, value)) {
		struct key_reader reader = state_key(value);
		struct profile_program *program = program_of(build, indices, &reader);
		bool broken = false;
		_cleanup_(freep) char *text = take_text(&reader, &broken);

		if (broken)
			return -ENOMEM;
		if (!program || !text)
			continue;
		if (string_list_add(table == TABLE_USERS ? &program->users : &program->parents,
				    text) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int build_arguments(struct build *build, struct map *indices)
{
	for (const struct seen *value = state_next(build->state, TABLE_ARGUMENTS, NULL); value;
	     value = state_next(build->state, TABLE_ARGUMENTS, value)) {
		struct key_reader reader = state_key(value);
		struct profile_program *program = program_of(build, indices, &reader);
		struct string_list *vector;

		if (!program || program->any_arguments)
			continue;
		vector = program_add_arguments(program);
		if (!vector)
			return -ENOMEM;
		while (reader.left > 0) {
			bool broken = false;
			_cleanup_(freep) char *argument = key_read_string(&reader, &broken);

			if (broken || !argument || string_list_add(vector, argument) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

static int file_evidence(struct build *build, const char *kind, const char *path,
			 const char *sha256, const struct seen *seen)
{
	_cleanup_(freep) char *label = NULL;

	if (asprintf(&label, "%s %s %s", kind, path, sha256 ? sha256 : "-") < 0) {
		label = NULL;
		return -ENOMEM;
	}
	return json_put(build->entries, label, seen_to_json(seen));
}

static int build_scripts(struct build *build)
{
	for (const struct seen *value = state_next(build->state, TABLE_SCRIPTS, NULL); value;
	     value = state_next(build->state, TABLE_SCRIPTS, value)) {
		struct key_reader reader = state_key(value);
		struct profile_script *script = profile_add_script(build->profile);
		bool broken = false;

		if (!script)
			return -ENOMEM;
		script->path = take_text(&reader, &broken);
		script->sha256 = take_sha256(&reader, &broken);
		script->interpreter = take_text(&reader, &broken);
		if (broken ||
		    file_evidence(build, "script", script->path, script->sha256, value) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* A program that was opened before, or besides, being started is no library. */
static bool is_program(const struct build *build, const void *library, struct key *key)
{
	struct key_reader reader = state_key(library);

	key_start(key);
	key_bytes(key, reader.at, reader.left);
	return state_find(build->state, TABLE_PROGRAMS, key);
}

static int build_libraries(struct build *build)
{
	_cleanup_(freep) struct key *key = calloc(1, sizeof(*key));

	if (!key)
		return -ENOMEM;
	for (const struct seen *value = state_next(build->state, TABLE_LIBRARIES, NULL); value;
	     value = state_next(build->state, TABLE_LIBRARIES, value)) {
		struct key_reader reader = state_key(value);
		struct profile_library *library;
		bool broken = false;

		if (is_program(build, value, key))
			continue;
		library = profile_add_library(build->profile);
		if (!library)
			return -ENOMEM;
		library->path = take_text(&reader, &broken);
		library->sha256 = take_sha256(&reader, &broken);
		if (broken ||
		    file_evidence(build, "library", library->path, library->sha256, value) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Why a program has no checksum belongs to its path. */
static int build_unreadable(struct build *build)
{
	for (const struct seen *value = state_next(build->state, TABLE_UNREADABLE, NULL); value;
	     value = state_next(build->state, TABLE_UNREADABLE, value)) {
		struct key_reader reader = state_key(value);
		bool broken = false;
		_cleanup_(freep) char *path = take_text(&reader, &broken);
		_cleanup_(freep) char *reason = take_text(&reader, &broken);
		_cleanup_(freep) char *label = NULL;
		json_t *entry = seen_to_json(value);

		if (broken || !entry || asprintf(&label, "unreadable %s: %s", path, reason) < 0) {
			json_decref(entry);
			return -ENOMEM;
		}
		if (json_put(build->entries, label, entry) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* One row names one station; a few stations have many rows each. */
static int add_station(struct mac_address **stations, size_t *count, size_t *capacity,
		       const struct mac_address *mac)
{
	for (size_t i = 0; i < *count; i++)
		if (mac_equal(&(*stations)[i], mac))
			return 0;
	if (array_reserve(stations, capacity, *count, sizeof(**stations)) < 0)
		return -ENOMEM;
	(*stations)[(*count)++] = *mac;
	return 0;
}

int build_stations(const struct state *state, struct mac_address **ret_stations, size_t *ret_count)
{
	static const enum table tables[] = {TABLE_LISTENERS, TABLE_SERVICES, TABLE_CONTACTS,
					    TABLE_NAMES};
	_cleanup_(freep) struct mac_address *stations = NULL;
	size_t count = 0, capacity = 0;

	for (size_t i = 0; i < array_length(tables); i++) {
		for (const void *value = state_next(state, tables[i], NULL); value;
		     value = state_next(state, tables[i], value)) {
			struct key_reader reader = state_key(value);
			struct mac_address mac = key_read_mac(&reader);

			if (add_station(&stations, &count, &capacity, &mac) < 0)
				return -ENOMEM;
		}
	}
	*ret_stations = take_pointer(stations);
	*ret_count = count;
	return 0;
}

int build_host(struct build *build)
{
	struct map *indices;
	int result = map_new(&indices, PROFILE_ENTRY_LIMIT, sizeof(size_t), NULL, NULL);

	if (result < 0)
		return result;
	result = build_programs(build, indices);
	if (result == 0)
		result = build_lists(build, indices, TABLE_USERS);
	if (result == 0)
		result = build_lists(build, indices, TABLE_PARENTS);
	if (result == 0)
		result = build_arguments(build, indices);
	if (result == 0)
		result = build_reads(build);
	if (result == 0)
		result = build_scripts(build);
	if (result == 0)
		result = build_libraries(build);
	if (result == 0)
		result = build_unreadable(build);
	map_free(indices);
	return result;
}
