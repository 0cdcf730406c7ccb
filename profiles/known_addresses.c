/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/known_addresses.h"

#include <jansson.h>

int known_addresses_each(const struct profile *profile, known_address_fn each, void *context)
{
	json_t *by_name = json_object_get(profile->evidence, "addresses");
	const char *name;
	json_t *list;

	json_object_foreach(by_name, name, list)
	{
		size_t i;
		json_t *item;

		json_array_foreach(list, i, item)
		{
			struct ip_address address;
			int result;

			if (!json_is_string(item) ||
			    ip_parse(json_string_value(item), &address) < 0)
				continue;
			result = each(context, name, &address);
			if (result < 0)
				return result;
		}
	}
	return 0;
}
