/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "profiles/value.h"

/* An object may only hold what the shape knows: a newer profile must not be half understood. */
static int refuse_unknown_keys(const struct place *at, const struct shape *shape,
			       const struct node *value)
{
	const struct node *key = node_first(value);

	for (size_t j = 0; j < node_count(value); j++, key = node_next(key + 1)) {
		struct place child = {at->fault, at, key->text, 0};
		bool known = false;

		for (size_t i = 0; i < shape->field_count && !known; i++)
			known = strcmp(shape->fields[i].key, key->text) == 0;
		if (!known)
			return fault_set(&child, EINVAL, "unknown key");
	}
	return 0;
}

int object_read(const struct place *at, const struct shape *shape, const struct node *value,
		void *target)
{
	size_t present = 0;
	int result;

	if (value->type != NODE_OBJECT)
		return fault_expected(at, "an object", value);
	for (size_t i = 0; i < shape->field_count; i++)
		present += node_get(value, shape->fields[i].key) != NULL;
	if (present != node_count(value)) {
		result = refuse_unknown_keys(at, shape, value);
		if (result < 0)
			return result;
	}
	for (size_t i = 0; i < shape->field_count; i++) {
		const struct field *field = &shape->fields[i];
		const struct node *item = node_get(value, field->key);
		struct place child = {at->fault, at, field->key, 0};

		if (field->applies && !field->applies(target)) {
			if (item)
				return fault_set(&child, EINVAL,
						 "does not go with what is beside it");
			continue;
		}
		if (field->optional && (!item || item->type == NODE_NULL))
			continue;
		if (!item)
			return fault_set(at, EINVAL, "\"%s\" is missing", field->key);
		result = field->type->read(&child, field, item, (char *)target + field->offset);
		if (result < 0)
			return result;
	}
	return shape->check ? shape->check(at, target) : 0;
}

int array_expect(const struct place *at, const struct node *value)
{
	if (value->type != NODE_ARRAY)
		return fault_expected(at, "an array", value);
	if (node_count(value) > PROFILE_ENTRY_LIMIT)
		return fault_set(at, EFBIG, "expected at most %u entries, found %zu",
				 PROFILE_ENTRY_LIMIT, node_count(value));
	return 0;
}

int duplicates_refuse(const struct place *at, const void *items, size_t count, size_t item_size,
		      compare_fn compare)
{
	size_t first;
	size_t second;
	int found = duplicate_find(items, count, item_size, compare, &first, &second);
	struct place child = {at->fault, at, NULL, 0};

	if (found < 0)
		return fault_memory(at);
	if (!found)
		return 0;
	child.index = second;
	return fault_set(&child, EINVAL, "duplicate of entry %zu", first);
}

int object_write(const struct place *at, const struct shape *shape, const void *target,
		 json_t **ret_value)
{
	json_t *object = json_object();
	int result = object ? 0 : fault_memory(at);

	for (size_t i = 0; result == 0 && i < shape->field_count; i++) {
		const struct field *field = &shape->fields[i];
		struct place child = {at->fault, at, field->key, 0};
		json_t *item = NULL;

		if (field->applies && !field->applies(target))
			continue;
		result = field->type->write(&child, field, (const char *)target + field->offset,
					    &item);
		if (result == 0 && item && json_object_set_new(object, field->key, item) < 0)
			result = fault_memory(&child);
	}
	if (result == 0 && shape->check)
		result = shape->check(at, target);
	if (result < 0)
		json_decref(object);
	else
		*ret_value = object;
	return result;
}

static int read_object_field(const struct place *at, const struct field *field,
			     const struct node *value, void *target)
{
	return object_read(at, field->shape, value, target);
}

static int read_entries(const struct place *at, const struct field *field, const struct node *value,
			void *target)
{
	const struct entry_array *entries = field->entries;
	int result = array_expect(at, value);
	const struct node *entry = node_first(value);

	for (size_t i = 0; result == 0 && i < node_count(value); i++, entry = node_next(entry)) {
		struct place child = {at->fault, at, NULL, i};
		void *item = entries->add(target);

		result = item ? object_read(&child, entries->shape, entry, item)
			      : fault_memory(&child);
	}
	if (result < 0)
		return result;
	return duplicates_refuse(at, *(void **)((char *)target + entries->items_offset),
				 *(size_t *)((char *)target + entries->count_offset),
				 entries->item_size, entries->compare);
}

static int write_object_field(const struct place *at, const struct field *field, const void *target,
			      json_t **ret_value)
{
	return object_write(at, field->shape, target, ret_value);
}

static int write_entries(const struct place *at, const struct field *field, const void *target,
			 json_t **ret_value)
{
	const struct entry_array *entries = field->entries;
	const char *items = *(char *const *)((const char *)target + entries->items_offset);
	size_t count = *(const size_t *)((const char *)target + entries->count_offset);
	json_t *array;
	int result = 0;

	if (count > PROFILE_ENTRY_LIMIT)
		return fault_set(at, EFBIG, "more than %u entries", PROFILE_ENTRY_LIMIT);
	array = json_array();
	if (!array)
		return fault_memory(at);
	for (size_t i = 0; result == 0 && i < count; i++) {
		struct place child = {at->fault, at, NULL, i};
		json_t *item = NULL;

		result =
			object_write(&child, entries->shape, items + i * entries->item_size, &item);
		if (result == 0 && json_array_append_new(array, item) < 0)
			result = fault_memory(&child);
	}
	if (result < 0)
		json_decref(array);
	else
		*ret_value = array;
	return result;
}

const struct value_type value_object = {read_object_field, write_object_field};
const struct value_type value_entries = {read_entries, write_entries};
