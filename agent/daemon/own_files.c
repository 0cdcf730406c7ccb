/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/own_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/file_sha256.h"
#include "enforce/program_policy.h"

#define OWN_FILES_LIMIT 256
#define SIZE_LIMIT	(UINT64_C(256) << 20)

static int add(struct own_files *own, const char *path, uint32_t uses, struct error *error)
{
	int result;

	if (own->count == own->capacity)
		return error_set(error, E2BIG, "rtguard maps more than %u files", OWN_FILES_LIMIT);
	result = file_sha256(path, SIZE_LIMIT, own->sha256[own->count]);
	if (result < 0)
		return error_set(error, -result, "cannot read rtguard's own %s: %s", path,
				 strerror(-result));
	own->uses[own->count++] = uses;
	return 0;
}

int own_files_read(struct own_files *own, struct error *error)
{
	_cleanup_(fclosep) FILE *maps = fopen("/proc/self/maps", "re");
	_cleanup_(freep) char *line = NULL;
	_cleanup_(freep) char *last = NULL;
	size_t size = 0;
	int result;

	own->sha256 = calloc(OWN_FILES_LIMIT, sizeof(*own->sha256));
	own->uses = calloc(OWN_FILES_LIMIT, sizeof(*own->uses));
	own->capacity = OWN_FILES_LIMIT;
	if (!own->sha256 || !own->uses)
		return error_set(error, ENOMEM, "out of memory");
	if (!maps)
		return error_set(error, errno, "cannot read /proc/self/maps: %s", strerror(errno));
	result = add(own, "/proc/self/exe", CONTENT_PROGRAM, error);
	while (result == 0 && getline(&line, &size, maps) > 0) {
		char *path = strchr(line, '/');

		line[strcspn(line, "\n")] = '\0';
		/* each file has several mappings, one below the other; the code's is executable */
		if (!path || !strstr(line, " r-xp ") || (last && strcmp(last, path) == 0))
			continue;
		freep(&last);
		last = strdup(path);
		result = add(own, path, CONTENT_LIBRARY, error);
	}
	return result;
}

void own_files_free(struct own_files *own)
{
	free(own->sha256);
	free(own->uses);
	*own = (struct own_files){0};
}
