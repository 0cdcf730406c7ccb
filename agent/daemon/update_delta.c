/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/update_delta.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "profiles/profile_json.h"

static const char *const lists[] = {"programs", "scripts", "libraries"};

static void freejsonp(json_t **value)
{
	json_decref(*value);
}

/* The policy as the file would have it. */
static int policy_of(struct profile *profile, json_t **ret_policy, struct error *error)
{
	_cleanup_(freep) char *text = NULL;
	_cleanup_(freejsonp) json_t *document = NULL;
	int result = profile_signed_bytes(profile, &text, error);

	if (result < 0)
		return result;
	document = json_loads(text, 0, NULL);
	*ret_policy = json_incref(json_object_get(document, "policy"));
	return *ret_policy ? 0 : error_set(error, ENOMEM, "out of memory");
}

/* path → its entries. */
static json_t *by_path(const json_t *entries)
{
	json_t *paths = json_object();
	const json_t *entry;
	size_t i;

	json_array_foreach(entries, i, entry)
	{
		const char *path = json_string_value(json_object_get(entry, "path"));
		json_t *group = json_object_get(paths, path);

		if (!group) {
			group = json_array();
			if (json_object_set_new(paths, path, group) < 0)
				break;
		}
		if (json_array_append(group, (json_t *)(uintptr_t)entry) < 0)
			break;
	}
	if (i < json_array_size(entries)) {
		json_decref(paths);
		return NULL;
	}
	return paths;
}

static int put(json_t *delta, const char *change, const char *list, json_t *entries)
{
	return json_array_extend(json_object_get(json_object_get(delta, change), list), entries);
}

static int compare(const json_t *before, const json_t *after, const char *list, json_t *delta)
{
	_cleanup_(freejsonp) json_t *old = by_path(json_object_get(before, list));
	_cleanup_(freejsonp) json_t *new = by_path(json_object_get(after, list));
	const char *path;
	json_t *group;
	int result = old && new ? 0 : -1;

	json_object_foreach(new, path, group)
	{
		const json_t *known = json_object_get(old, path);

		if (result == 0 && !known)
			result = put(delta, "added", list, group);
		else if (result == 0 && !json_equal(known, group))
			result = put(delta, "changed", list, group);
	}
	json_object_foreach(old, path, group)
	{
		if (result == 0 && !json_object_get(new, path))
			result = put(delta, "removed", list, group);
	}
	return result;
}

static json_t *empty_change(void)
{
	return json_pack("{s:[], s:[], s:[]}", lists[0], lists[1], lists[2]);
}

int update_delta(struct profile *before, struct profile *after, json_t **ret_delta,
		 struct error *error)
{
	_cleanup_(freejsonp) json_t *old = NULL;
	_cleanup_(freejsonp) json_t *new = NULL;
	_cleanup_(freejsonp) json_t *delta = NULL;
	int result = policy_of(before, &old, error);

	if (result == 0)
		result = policy_of(after, &new, error);
	if (result < 0)
		return result;
	delta = json_pack("{s:o, s:o, s:o}", "added", empty_change(), "changed", empty_change(),
			  "removed", empty_change());
	for (size_t i = 0; delta && result == 0 && i < array_length(lists); i++)
		result = compare(old, new, lists[i], delta);
	if (!delta || result < 0)
		return error_set(error, ENOMEM, "out of memory");
	*ret_delta = take_pointer(delta);
	return 0;
}

size_t update_delta_count(const json_t *delta, const char *change)
{
	size_t count = 0;

	for (size_t i = 0; i < array_length(lists); i++)
		count += json_array_size(json_object_get(json_object_get(delta, change), lists[i]));
	return count;
}
