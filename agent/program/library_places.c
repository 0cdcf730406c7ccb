/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The directories that the system's own configuration names. */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "program/library_places.h"

#define INCLUDE_DEPTH	    8
#define DIRECTORY_LIMIT	    256
#define CONFIGURATION_LIMIT 65536 /* bytes of a file */

/* glibc's SYSTEM_DIRS of the usual builds, and musl's; what a machine does not have is not found */
static const char *const default_directories[] = {
	"/lib64", "/usr/lib64", "/lib", "/usr/local/lib", "/usr/lib", "/lib32", "/usr/lib32",
};

static int add(struct library_places *places, const char *directory)
{
	char *copy;

	if (directory[0] != '/' || places->count == DIRECTORY_LIMIT)
		return 0;
	copy = strdup(directory);
	if (!copy || array_reserve(&places->directories, &places->capacity, places->count,
				   sizeof(*places->directories)) < 0) {
		free(copy);
		return -ENOMEM;
	}
	places->directories[places->count++] = copy;
	return 0;
}

static int read_configuration(struct library_places *places, const char *path, int depth);

/* A pattern beside the file that includes it, unless it is absolute. */
static int include(struct library_places *places, const char *path, const char *pattern, int depth)
{
	const char *slash = strrchr(path, '/');
	char whole[PATH_MAX];
	int result = 0;
	glob_t files;

	if (snprintf(whole, sizeof(whole), "%.*s%s",
		     pattern[0] != '/' && slash ? (int)(slash - path + 1) : 0, path,
		     pattern) >= (int)sizeof(whole))
		return 0;
	if (glob(whole, 0, NULL, &files) != 0)
		return 0;
	for (size_t i = 0; result == 0 && i < files.gl_pathc; i++)
		result = read_configuration(places, files.gl_pathv[i], depth + 1);
	globfree(&files);
	return result;
}

static int take_line(struct library_places *places, const char *path, char *line, int depth)
{
	char *end;

	line[strcspn(line, "#")] = '\0';
	line += strspn(line, " \t\r");
	end = line + strlen(line);
	while (end > line && strchr(" \t\r", end[-1]))
		*--end = '\0';
	if (strncmp(line, "include", 7) == 0 && strchr(" \t", line[7]) && line[7])
		return include(places, path, line + 7 + strspn(line + 7, " \t"), depth);
	line[strcspn(line, "=")] = '\0'; /* "DIRECTORY=libc6" */
	return add(places, line);
}

static int read_configuration(struct library_places *places, const char *path, int depth)
{
	_cleanup_(freep) char *bytes = NULL;
	char *rest;
	char *line;
	size_t size;
	int result = 0;

	if (depth > INCLUDE_DEPTH || file_read(path, CONFIGURATION_LIMIT, &bytes, &size, NULL) < 0)
		return 0;
	rest = bytes;
	while (result == 0 && (line = strsep(&rest, "\n")))
		result = take_line(places, path, line, depth);
	return result;
}

/* musl: directories between colons or newlines, which replace the usual ones. */
static int read_path_file(struct library_places *places, const char *path)
{
	_cleanup_(freep) char *bytes = NULL;
	char *rest;
	char *directory;
	size_t size;
	int result = 0;

	if (file_read(path, CONFIGURATION_LIMIT, &bytes, &size, NULL) < 0)
		return 0;
	rest = bytes;
	while (result == 0 && (directory = strsep(&rest, ":\n")))
		result = add(places, directory);
	return result;
}

static int read_path_files(struct library_places *places, const char *pattern)
{
	int result = 0;
	glob_t files;

	if (glob(pattern, 0, NULL, &files) != 0)
		return 0;
	for (size_t i = 0; result == 0 && i < files.gl_pathc; i++)
		result = read_path_file(places, files.gl_pathv[i]);
	globfree(&files);
	return result;
}

int library_places_new(const char *configuration, const char *path_pattern,
		       struct library_places **ret_places)
{
	struct library_places *places = calloc(1, sizeof(*places));
	int result;

	if (!places)
		return -ENOMEM;
	result = read_configuration(places, configuration, 0);
	if (result == 0)
		result = read_path_files(places, path_pattern);
	for (size_t i = 0; result == 0 && i < array_length(default_directories); i++)
		result = add(places, default_directories[i]);
	if (result < 0)
		library_places_free(places);
	else
		*ret_places = places;
	return result;
}

void library_places_free(struct library_places *places)
{
	if (!places)
		return;
	for (size_t i = 0; i < places->count; i++)
		free(places->directories[i]);
	free(places->directories);
	free(places);
}
