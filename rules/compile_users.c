/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that have a user of their own: then the kernel's socket user says which program it is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rules/compile_private.h"

struct runs_as {
	const char *program;
	uint32_t user;
};

struct program_users {
	struct runs_as *by_program; /* sorted, each pair once */
	struct runs_as *by_user;
	size_t count;
	size_t capacity;
	bool uncertain; /* somebody may run as anybody */
};

static int compare_by_program(const void *left, const void *right)
{
	const struct runs_as *a = left;
	const struct runs_as *b = right;
	int order = strcmp(a->program, b->program);

	return order ? order : (a->user > b->user) - (a->user < b->user);
}

static int compare_by_user(const void *left, const void *right)
{
	const struct runs_as *a = left;
	const struct runs_as *b = right;

	if (a->user != b->user)
		return a->user < b->user ? -1 : 1;
	return strcmp(a->program, b->program);
}

/* A number stands for a user without a name. */
static bool find_user(const struct rules_options *options, const char *name, uint32_t *ret_user)
{
	uint64_t number;

	if (options->user_id(name, ret_user) == 0)
		return true;
	if (number_parse(name, UINT32_MAX - 1, &number) < 0)
		return false;
	*ret_user = (uint32_t)number;
	return true;
}

static int add_program(struct program_users *users, const struct profile_program *program,
		       const struct rules_options *options)
{
	if (!program->users.count)
		users->uncertain = true;
	for (size_t i = 0; i < program->users.count; i++) {
		uint32_t user;

		/* who is not known here may get any number tomorrow */
		if (!find_user(options, program->users.items[i], &user)) {
			users->uncertain = true;
			continue;
		}
		if (array_reserve(&users->by_program, &users->capacity, users->count,
				  sizeof(*users->by_program)) < 0)
			return -ENOMEM;
		users->by_program[users->count++] =
			(struct runs_as){.program = program->path, .user = user};
	}
	return 0;
}

static int sort(struct program_users *users)
{
	size_t kept = 0;

	if (!users->count)
		return 0;
	qsort(users->by_program, users->count, sizeof(*users->by_program), compare_by_program);
	for (size_t i = 1; i < users->count; i++)
		if (compare_by_program(&users->by_program[kept], &users->by_program[i]) != 0)
			users->by_program[++kept] = users->by_program[i];
	users->count = kept + 1;
	users->by_user = calloc(users->count, sizeof(*users->by_user));
	if (!users->by_user)
		return -ENOMEM;
	memcpy(users->by_user, users->by_program, users->count * sizeof(*users->by_user));
	qsort(users->by_user, users->count, sizeof(*users->by_user), compare_by_user);
	return 0;
}

int program_users_new(const struct profile *profile, const struct rules_options *options,
		      struct program_users **ret_users)
{
	struct program_users *users = calloc(1, sizeof(*users));
	int result = users ? 0 : -ENOMEM;

	for (size_t i = 0; i < profile->program_count && result == 0; i++)
		result = add_program(users, &profile->programs[i], options);
	if (result == 0)
		result = sort(users);
	if (result < 0) {
		program_users_free(users);
		return result;
	}
	*ret_users = users;
	return 0;
}

void program_users_free(struct program_users *users)
{
	if (!users)
		return;
	free(users->by_program);
	free(users->by_user);
	free(users);
}

static const struct runs_as *find_program(const struct program_users *users, const char *program)
{
	size_t low = 0;
	size_t high = users->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(users->by_program[middle].program, program) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == users->count || strcmp(users->by_program[low].program, program) != 0)
		return NULL;
	return &users->by_program[low];
}

bool program_user(const struct program_users *users, const char *program, uint32_t *ret_user)
{
	const struct runs_as *end = users->by_program + users->count;
	const struct runs_as *pair;
	const struct runs_as *own;

	if (users->uncertain)
		return false;
	pair = find_program(users, program);
	if (!pair || pair->user == 0 || (pair + 1 < end && strcmp(pair[1].program, program) == 0))
		return false;
	own = bsearch(pair, users->by_user, users->count, sizeof(*own), compare_by_user);
	if ((own > users->by_user && own[-1].user == pair->user) ||
	    (own + 1 < users->by_user + users->count && own[1].user == pair->user))
		return false;
	*ret_user = pair->user;
	return true;
}
