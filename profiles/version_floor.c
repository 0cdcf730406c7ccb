/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/version_floor.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "profiles/signature.h"

#define FILE_LIMIT 32

int version_floor_read(const char *path, uint64_t *ret_version, struct error *error)
{
	_cleanup_(freep) char *text = NULL;
	struct error reason = {0};
	uint64_t version;
	size_t size;
	int result = file_read(path, FILE_LIMIT, &text, &size, &reason);

	if (result == -ENOENT) {
		*ret_version = 0;
		return 0;
	}
	if (result < 0 && result != -EFBIG)
		return error_set(error, -result, "%s", reason.message);
	if (result == 0 && size > 1 && text[size - 1] == '\n' && strlen(text) == size) {
		text[size - 1] = '\0';
		if (number_parse(text, VERSION_LIMIT, &version) == 0) {
			*ret_version = version;
			return 0;
		}
	}
	return error_set(error, EBADMSG,
			 "%s: holds no version: write the last one that was in force here into it, "
			 "or remove it to begin anew",
			 path);
}

/* The directory alone, not those above it. */
static void make_directory_of(const char *path)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path ||
	    snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path), path) >= PATH_MAX)
		return;
	/* where that fails, writing the file says why */
	(void)mkdir(directory, 0755);
}

int version_floor_raise(const char *path, uint64_t version, struct error *error)
{
	char text[FILE_LIMIT];
	uint64_t held;
	int result = version_floor_read(path, &held, error);

	if (result < 0 || version <= held)
		return result;
	make_directory_of(path);
	(void)snprintf(text, sizeof(text), "%" PRIu64 "\n", version);
	return file_replace(path, text, strlen(text), error);
}
