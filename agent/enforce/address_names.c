/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/address_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

struct address_names {
	struct map *addresses; /* struct ip_address → struct named */
};

struct named {
	char *names[ADDRESS_NAMES_EACH]; /* a ring; NULL: free */
	size_t next;
};

static void dispose(void *value, void *context)
{
	struct named *named = value;

	(void)context;
	for (size_t i = 0; i < ADDRESS_NAMES_EACH; i++)
		free(named->names[i]);
}

int address_names_new(struct address_names **ret_names, size_t limit)
{
	struct address_names *names = calloc(1, sizeof(*names));

	if (!names)
		return -ENOMEM;
	if (map_new(&names->addresses, limit, sizeof(struct named), dispose, NULL) < 0) {
		free(names);
		return -ENOMEM;
	}
	*ret_names = names;
	return 0;
}

void address_names_free(struct address_names *names)
{
	if (!names)
		return;
	map_free(names->addresses);
	free(names);
}

int address_names_add(struct address_names *names, const struct ip_address *address,
		      const char *name)
{
	struct named *named = map_add(names->addresses, address, sizeof(*address));
	char *copy;

	if (!named)
		return -ENOMEM;
	for (size_t i = 0; i < ADDRESS_NAMES_EACH; i++)
		if (named->names[i] && strcmp(named->names[i], name) == 0)
			return 0;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	free(named->names[named->next]);
	named->names[named->next] = copy;
	named->next = (named->next + 1) % ADDRESS_NAMES_EACH;
	return 0;
}

bool address_names_any(struct address_names *names, const struct ip_address *address,
		       bool (*fits)(void *context, const char *name), void *context)
{
	const struct named *named = map_find(names->addresses, address, sizeof(*address));

	for (size_t i = 0; named && i < ADDRESS_NAMES_EACH; i++)
		if (named->names[i] && fits(context, named->names[i]))
			return true;
	return false;
}

bool address_names_has(struct address_names *names, const struct ip_address *address)
{
	return map_find(names->addresses, address, sizeof(*address)) != NULL;
}
