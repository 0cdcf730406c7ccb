/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/policy_users.h"

#include <errno.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"

#define NUMBERS_LIMIT 65536

static bool is_named(const struct profile *profile, const char *name)
{
	for (size_t i = 0; i < profile->program_count; i++)
		if (string_list_contains(&profile->programs[i].users, name))
			return true;
	return false;
}

size_t policy_users_read(const struct profile *profile, const char *passwd,
			 struct guard_user ret_users[POLICY_USERS_LIMIT])
{
	_cleanup_(fclosep) FILE *stream = fopen(passwd, "re");
	struct map *seen = NULL; /* numbers */
	size_t count = 0;

	if (!stream || map_new(&seen, NUMBERS_LIMIT, sizeof(uint8_t), NULL, NULL) < 0)
		return 0;
	for (const struct passwd *entry;
	     count < POLICY_USERS_LIMIT && (entry = fgetpwent(stream));) {
		uint32_t number = entry->pw_uid;

		if (map_find(seen, &number, sizeof(number)) ||
		    !map_add(seen, &number, sizeof(number)))
			continue;
		if (strlen(entry->pw_name) >= sizeof(ret_users->name) ||
		    !is_named(profile, entry->pw_name))
			continue;
		ret_users[count].user = number;
		(void)snprintf(ret_users[count++].name, sizeof(ret_users->name), "%s",
			       entry->pw_name);
	}
	map_free(seen);
	return count;
}

int policy_user_number(const char *name, const char *passwd, uint32_t *ret_user)
{
	_cleanup_(fclosep) FILE *stream = fopen(passwd, "re");

	for (const struct passwd *entry; stream && (entry = fgetpwent(stream));)
		if (strcmp(entry->pw_name, name) == 0) {
			*ret_user = entry->pw_uid;
			return 0;
		}
	return -ENOENT;
}
