/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "learn/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

#define MIB (1024u * 1024)

const struct table_definition state_tables[TABLE_COUNT] = {
	[TABLE_PROGRAMS] = {"programs", "sh", sizeof(struct program_value), 16384, 8 * MIB},
	[TABLE_USERS] = {"users", "shs", sizeof(struct seen), 32768, 8 * MIB},
	[TABLE_PARENTS] = {"parents", "shs", sizeof(struct seen), 32768, 8 * MIB},
	[TABLE_ARGUMENTS] = {"arguments", "sh*", sizeof(struct seen), 32768, 16 * MIB},
	[TABLE_UNREADABLE] = {"unreadable", "ss", sizeof(struct seen), 4096, 1 * MIB},
	[TABLE_SCRIPTS] = {"scripts", "shn", sizeof(struct seen), 16384, 8 * MIB},
	[TABLE_LIBRARIES] = {"libraries", "sh", sizeof(struct seen), 32768, 8 * MIB},
	[TABLE_READS] = {"reads", "ss", sizeof(struct read_value), 32768, 8 * MIB},
	[TABLE_LISTENERS] = {"listeners", "m112an", sizeof(struct listener_value), 8192, 2 * MIB},
	[TABLE_SERVICES] = {"services", "m112", sizeof(struct service_value), 16384, 2 * MIB},
	[TABLE_CONTACTS] = {"contacts", "m1221ann", sizeof(struct contact_value), 32768, 8 * MIB},
	[TABLE_UNNAMED] = {"unnamed", "m12", sizeof(struct unnamed_value), 16384, 2 * MIB},
	[TABLE_NAMES] = {"names", "ms", sizeof(struct name_value), 32768, 8 * MIB},
	[TABLE_ADDRESSES] = {"addresses", "msa", sizeof(struct address_value), 65536, 8 * MIB},
	[TABLE_ROLES] = {"roles", "ma1", sizeof(struct seen), 1024, 1 * MIB},
	[TABLE_CYCLES] = {"cycles", "8s", sizeof(struct cycle_value), 4096, 1 * MIB},
	[TABLE_COUNTERS] = {"counters", "s", sizeof(struct counter_value), 64, 1 * MIB},
	[TABLE_CURVES] = {"curves", "s", sizeof(struct curve_value), 16, 1 * MIB},
	[TABLE_SAMPLES] = {"samples", "", sizeof(struct samples_value), 1, 1 * MIB},
};

/* What the map keeps: the value follows. */
struct slot {
	uint64_t changed;
	unsigned char value[];
};

struct contents {
	struct map *map;
	uint64_t bytes;
	uint64_t evicted;
	size_t changed; /* an upper bound: an entry may change, then go */
};

struct state {
	struct contents tables[TABLE_COUNT];
};

static struct slot *slot_of(const void *value)
{
	return (struct slot *)((unsigned char *)(uintptr_t)value - offsetof(struct slot, value));
}

int state_new(struct state **ret_state)
{
	struct state *state = calloc(1, sizeof(*state));

	if (!state)
		return -ENOMEM;
	for (int i = 0; i < TABLE_COUNT; i++) {
		int result = map_new(&state->tables[i].map, state_tables[i].entry_limit,
				     sizeof(struct slot) + state_tables[i].value_size, NULL, NULL);

		if (result < 0) {
			state_free(state);
			return result;
		}
	}
	*ret_state = state;
	return 0;
}

void state_free(struct state *state)
{
	if (!state)
		return;
	for (int i = 0; i < TABLE_COUNT; i++)
		map_free(state->tables[i].map);
	free(state);
}

void *state_find(struct state *state, enum table table, const struct key *key)
{
	struct slot *slot;

	if (key->overflow)
		return NULL;
	slot = map_peek(state->tables[table].map, key->bytes, key->size);
	return slot ? slot->value : NULL;
}

/* Lets the oldest entries go until one more of this size fits. */
static void make_room(struct contents *contents, const struct table_definition *definition,
		      uint64_t size)
{
	for (;;) {
		struct slot *oldest = map_next(contents->map, NULL);
		size_t key_size;

		if (!oldest || (map_count(contents->map) < definition->entry_limit &&
				contents->bytes + size <= definition->byte_limit))
			return;
		map_key(oldest, &key_size);
		contents->bytes -= key_size + definition->value_size;
		map_remove_value(contents->map, oldest);
		contents->evicted++;
	}
}

static struct slot *find_or_add(struct state *state, enum table table, const void *key, size_t size,
				bool *ret_is_new)
{
	struct contents *contents = &state->tables[table];
	const struct table_definition *definition = &state_tables[table];
	struct slot *slot = map_find(contents->map, key, size);

	*ret_is_new = false;
	if (slot)
		return slot;
	make_room(contents, definition, size + definition->value_size);
	slot = map_add(contents->map, key, size);
	if (!slot)
		return NULL;
	contents->bytes += size + definition->value_size;
	*ret_is_new = true;
	return slot;
}

void *state_take(struct state *state, enum table table, const struct key *key, bool *ret_is_new)
{
	struct contents *contents = &state->tables[table];
	bool is_new = false;
	struct slot *slot = NULL;

	if (!key->overflow)
		slot = find_or_add(state, table, key->bytes, key->size, &is_new);
	if (ret_is_new)
		*ret_is_new = is_new;
	if (!slot) {
		contents->evicted++;
		return NULL;
	}
	state_changed(state, table, slot->value);
	return slot->value;
}

void state_changed(struct state *state, enum table table, void *value)
{
	struct slot *slot = slot_of(value);

	if (!slot->changed)
		state->tables[table].changed++;
	slot->changed = 1;
}

void *state_note(struct state *state, enum table table, const struct key *key, uint64_t time_ns,
		 bool *ret_is_new)
{
	struct seen *seen = state_take(state, table, key, ret_is_new);

	if (!seen)
		return NULL;
	/* The clock may step: the earliest and the latest time are kept, not the first and last. */
	if (seen->count == 0 || time_ns < seen->first_ns)
		seen->first_ns = time_ns;
	if (time_ns > seen->last_ns)
		seen->last_ns = time_ns;
	seen->count++;
	return seen;
}

void *state_next(const struct state *state, enum table table, const void *value)
{
	struct slot *slot = map_next(state->tables[table].map, value ? slot_of(value) : NULL);

	return slot ? slot->value : NULL;
}

struct key_reader state_key(const void *value)
{
	size_t size;
	const void *key = map_key(slot_of(value), &size);

	return key_read(key, size);
}

size_t state_count(const struct state *state, enum table table)
{
	return map_count(state->tables[table].map);
}

uint64_t state_evicted(const struct state *state, enum table table)
{
	return state->tables[table].evicted;
}

void state_set_evicted(struct state *state, enum table table, uint64_t evicted)
{
	state->tables[table].evicted = evicted;
}

int state_each(const struct state *state, bool changed_only, state_entry_fn callback, void *context)
{
	for (int table = 0; table < TABLE_COUNT; table++) {
		const struct contents *contents = &state->tables[table];

		if (changed_only && contents->changed == 0)
			continue;
		for (struct slot *slot = map_next(contents->map, NULL); slot;
		     slot = map_next(contents->map, slot)) {
			size_t key_size;
			const void *key = map_key(slot, &key_size);
			int result;

			if (changed_only && !slot->changed)
				continue;
			result = callback(context, (enum table)table, key, key_size, slot->value,
					  state_tables[table].value_size);
			if (result != 0)
				return result;
		}
	}
	return 0;
}

void state_settle(struct state *state)
{
	for (int table = 0; table < TABLE_COUNT; table++) {
		struct contents *contents = &state->tables[table];

		if (contents->changed == 0)
			continue;
		for (struct slot *slot = map_next(contents->map, NULL); slot;
		     slot = map_next(contents->map, slot))
			slot->changed = 0;
		contents->changed = 0;
	}
}

bool state_has_changes(const struct state *state)
{
	for (int table = 0; table < TABLE_COUNT; table++)
		if (state->tables[table].changed > 0)
			return true;
	return false;
}

uint64_t state_bytes(const struct state *state)
{
	uint64_t bytes = 0;

	for (int table = 0; table < TABLE_COUNT; table++)
		bytes += state->tables[table].bytes;
	return bytes;
}

/* What later code counts on; everything else in a value is only a number. */
static bool value_is_sound(unsigned int table, const void *value)
{
	struct samples_value samples;
	struct curve_value curve;
	struct program_value program;

	switch (table) {
	case TABLE_SAMPLES:
		memcpy(&samples, value, sizeof(samples));
		return samples.count <= SAMPLE_LIMIT && samples.level < 64;
	case TABLE_CURVES:
		memcpy(&curve, value, sizeof(curve));
		return curve.resolution_ns > 0;
	case TABLE_PROGRAMS:
		memcpy(&program, value, sizeof(program));
		return program.phase >= 1 && program.phase <= 3;
	default:
		return true;
	}
}

int state_load(struct state *state, unsigned int table, const void *key, size_t key_size,
	       const void *value, size_t value_size)
{
	struct slot *slot;
	bool is_new;

	if (table >= TABLE_COUNT || value_size != state_tables[table].value_size ||
	    key_size > KEY_SIZE_LIMIT || !key_fits(state_tables[table].shape, key, key_size) ||
	    !value_is_sound(table, value))
		return -EINVAL;
	slot = find_or_add(state, (enum table)table, key, key_size, &is_new);
	if (!slot)
		return -ENOMEM;
	memcpy(slot->value, value, value_size);
	return 0;
}
