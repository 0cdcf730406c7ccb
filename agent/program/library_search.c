/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "program/library_search.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "program/library_places.h"

/* One name on its way through the directories. */
struct search {
	const struct executable_format *format; /* whose machine it has to be */
	const char *name;
	library_found_fn found;
	void *context;
	size_t hits;
};

static bool fits(const struct search *search, const char *path)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct executable_format format;
	struct stat status;
	bool result;

	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ||
	    executable_format_of(fd, &format) < 0)
		return false;
	result = (format.kind == EXECUTABLE_LIBRARY || format.kind == EXECUTABLE_PROGRAM) &&
		 format.machine == search->format->machine && format.wide == search->format->wide;
	executable_format_clear(&format);
	return result;
}

static int try_file(struct search *search, const char *path)
{
	char real[PATH_MAX];

	if (!realpath(path, real) || !fits(search, real))
		return 0;
	search->hits++;
	return search->found(search->context, real);
}

/* DIRECTORY/glibc-hwcaps/x86-64-v3/NAME and the like: which of them is taken depends on the
 * processor. */
static int try_variants(struct search *search, const char *directory)
{
	char pattern[PATH_MAX];
	int result = 0;
	glob_t files;

	/* a pattern in the name itself is nobody's library */
	if (strpbrk(directory, "*?[\\") || strpbrk(search->name, "*?[\\") ||
	    snprintf(pattern, sizeof(pattern), "%s/glibc-hwcaps/*/%s", directory, search->name) >=
		    (int)sizeof(pattern) ||
	    glob(pattern, 0, NULL, &files) != 0)
		return 0;
	for (size_t i = 0; result == 0 && i < files.gl_pathc; i++)
		result = try_file(search, files.gl_pathv[i]);
	globfree(&files);
	return result;
}

static int try_directory(struct search *search, const char *directory)
{
	char path[PATH_MAX];
	int result;

	if (snprintf(path, sizeof(path), "%s/%s", directory, search->name) >= (int)sizeof(path))
		return 0;
	result = try_file(search, path);
	/* a variant alone, without the file for every processor, is one too */
	return result < 0 ? result : try_variants(search, directory);
}

/* $ORIGIN is the directory of who asks. Elements with other tokens, and relative ones, are none
 * that can be told from here. */
static bool expand(const char *element, const char *user_path, char directory[PATH_MAX])
{
	static const char *const names[] = {"$ORIGIN", "${ORIGIN}"};
	const char *slash = strrchr(user_path, '/');
	size_t length = 0;

	while (*element) {
		size_t taken = 0;

		for (size_t i = 0; *element == '$' && i < array_length(names); i++)
			if (strncmp(element, names[i], strlen(names[i])) == 0)
				taken = strlen(names[i]);
		if (*element == '$' && !taken)
			return false;
		length += (size_t)snprintf(directory + length, PATH_MAX - length, "%.*s",
					   taken ? (int)(slash - user_path) : 1,
					   taken ? user_path : element);
		if (length >= PATH_MAX)
			return false;
		element += taken ? taken : 1;
	}
	directory[length] = '\0';
	return directory[0] == '/';
}

static int try_path(struct search *search, const struct library_user *user)
{
	_cleanup_(freep) char *path = strdup(user->format->search_path);
	char *rest = path;
	char *element;
	int result = 0;

	if (!path)
		return -ENOMEM;
	while (result == 0 && !search->hits && (element = strsep(&rest, ":"))) {
		char directory[PATH_MAX];

		if (expand(element, user->path, directory))
			result = try_directory(search, directory);
	}
	return result;
}

/* DT_RPATH of who asks and of those above it, unless who asks has DT_RUNPATH. */
static int try_inherited_paths(struct search *search, const struct library_user *user)
{
	int result = 0;

	if (user->format->search_path && !user->format->search_path_inherited)
		return 0;
	for (; user && result == 0 && !search->hits; user = user->parent)
		if (user->format->search_path && user->format->search_path_inherited)
			result = try_path(search, user);
	return result;
}

int library_search(const struct library_places *places, const struct library_user *user,
		   const char *name, library_found_fn found, void *context)
{
	struct search search = {user->format, name, found, context, 0};
	int result;

	if (strchr(name, '/')) {
		result = name[0] == '/' ? try_file(&search, name) : 0;
		return result < 0 || search.hits ? result : -ENOENT;
	}
	result = try_inherited_paths(&search, user);
	if (result == 0 && !search.hits && user->format->search_path &&
	    !user->format->search_path_inherited)
		result = try_path(&search, user);
	for (size_t i = 0; result == 0 && !search.hits && i < places->count; i++)
		result = try_directory(&search, places->directories[i]);
	return result < 0 || search.hits ? result : -ENOENT;
}
