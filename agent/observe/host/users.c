/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/users.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/map.h"

#define USERS_LIMIT  4096
#define NAME_LIMIT   64
#define PASSWD_LIMIT (16 * 1024 * 1024)

struct users {
	char *path;
	struct timespec modified;
	off_t size;
	ino_t inode;
	struct map *names; /* uint32_t to char[NAME_LIMIT] */
	char number[16];
};

int users_new(const char *path, struct users **ret_users)
{
	struct users *users = calloc(1, sizeof(*users));

	if (!users)
		return -ENOMEM;
	users->path = strdup(path);
	if (!users->path || map_new(&users->names, USERS_LIMIT, NAME_LIMIT, NULL, NULL) < 0) {
		users_free(users);
		return -ENOMEM;
	}
	*ret_users = users;
	return 0;
}

void users_free(struct users *users)
{
	if (!users)
		return;
	map_free(users->names);
	free(users->path);
	free(users);
}

static void read_names(struct users *users)
{
	_cleanup_(fclosep) FILE *stream = fopen(users->path, "re");

	map_clear(users->names);
	if (!stream)
		return;
	for (const struct passwd *entry; (entry = fgetpwent(stream));) {
		uint32_t user = entry->pw_uid;
		char *name;

		/* of several names for one number the first counts, as getpwuid(3) has it */
		if (map_find(users->names, &user, sizeof(user)))
			continue;
		if (map_count(users->names) == USERS_LIMIT)
			return;
		name = map_add(users->names, &user, sizeof(user));
		if (name)
			(void)snprintf(name, NAME_LIMIT, "%s", entry->pw_name);
	}
}

static void refresh(struct users *users)
{
	struct stat status;

	if (stat(users->path, &status) < 0 || !S_ISREG(status.st_mode) ||
	    status.st_size > PASSWD_LIMIT) {
		map_clear(users->names);
		users->inode = 0;
		return;
	}
	if (status.st_ino == users->inode && status.st_size == users->size &&
	    status.st_mtim.tv_sec == users->modified.tv_sec &&
	    status.st_mtim.tv_nsec == users->modified.tv_nsec)
		return;
	read_names(users);
	users->inode = status.st_ino;
	users->size = status.st_size;
	users->modified = status.st_mtim;
}

const char *users_name(struct users *users, uint32_t user)
{
	const char *name;

	refresh(users);
	name = map_find(users->names, &user, sizeof(user));
	if (name && *name)
		return name;
	(void)snprintf(users->number, sizeof(users->number), "%" PRIu32, user);
	return users->number;
}
