/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "profiles/value.h"

int text_read(const struct place *at, const struct text_kind *kind, const struct node *value,
	      char **target)
{
	const char *text = node_string(value);

	if (!text)
		return fault_expected(at, kind->expected, value);
	if (value->length > kind->limit)
		return fault_set(at, EFBIG, "expected at most %zu bytes, found %" PRIu32,
				 kind->limit, value->length);
	if (!kind->is_valid(text))
		return fault_expected(at, kind->expected, value);
	*target = strdup(text);
	return *target ? 0 : fault_memory(at);
}

int text_list_read(const struct place *at, const struct text_kind *kind, const struct node *value,
		   struct string_list *list)
{
	int result = array_expect(at, value);
	const struct node *item = node_first(value);

	for (size_t i = 0; result == 0 && i < node_count(value); i++, item = node_next(item)) {
		struct place child = {at->fault, at, NULL, i};
		char *text = NULL;

		result = text_read(&child, kind, item, &text);
		if (result < 0)
			break;
		if (array_reserve(&list->items, &list->capacity, list->count,
				  sizeof(*list->items)) < 0) {
			free(text);
			return fault_memory(&child);
		}
		list->items[list->count++] = text;
	}
	return result;
}

int text_write(const struct place *at, const struct text_kind *kind, const char *text,
	       json_t **ret_value)
{
	if (strlen(text) > kind->limit)
		return fault_set(at, EFBIG, "longer than %zu bytes", kind->limit);
	if (!utf8_is_valid(text, strlen(text)) || !kind->is_valid(text))
		return fault_set(at, EINVAL, "is not %s", kind->expected);
	*ret_value = json_string_nocheck(text);
	return *ret_value ? 0 : fault_memory(at);
}

int text_list_write(const struct place *at, const struct text_kind *kind,
		    const struct string_list *list, json_t **ret_value)
{
	json_t *array = json_array();
	int result = array ? 0 : fault_memory(at);

	for (size_t i = 0; result == 0 && i < list->count; i++) {
		struct place child = {at->fault, at, NULL, i};
		json_t *item = NULL;

		result = text_write(&child, kind, list->items[i], &item);
		if (result == 0 && json_array_append_new(array, item) < 0)
			result = fault_memory(at);
	}
	if (result < 0)
		json_decref(array);
	else
		*ret_value = array;
	return result;
}

static int read_text_field(const struct place *at, const struct field *field,
			   const struct node *value, void *target)
{
	return text_read(at, field->text, value, target);
}

static int read_text_set(const struct place *at, const struct field *field,
			 const struct node *value, void *target)
{
	struct string_list *list = target;
	int result = text_list_read(at, field->text, value, list);

	return result < 0 ? result
			  : duplicates_refuse(at, list->items, list->count, sizeof(*list->items),
					      string_compare);
}

static int write_text_field(const struct place *at, const struct field *field, const void *target,
			    json_t **ret_value)
{
	const char *text = *(char *const *)target;

	if (text)
		return text_write(at, field->text, text, ret_value);
	if (!field->optional)
		return fault_set(at, EINVAL, "is not known and has to be");
	*ret_value = json_null();
	return 0;
}

static int write_text_set(const struct place *at, const struct field *field, const void *target,
			  json_t **ret_value)
{
	return text_list_write(at, field->text, target, ret_value);
}

const struct value_type value_text = {read_text_field, write_text_field};
const struct value_type value_text_list = {read_text_set, write_text_set};
