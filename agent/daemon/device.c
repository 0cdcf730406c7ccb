/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/text.h"

/* Where boards and PCs say what they are: device tree, then DMI. */
static const char *const model_files[] = {
	"/proc/device-tree/model",
	"/sys/class/dmi/id/product_name",
};

static const char *const release_files[] = {"/etc/os-release", "/usr/lib/os-release"};

/* Copies the text if it may stand in a profile: not empty, valid UTF-8, no control characters. */
static int copy_if_fit(const char *text, char **ret_copy)
{
	size_t size = strlen(text);

	if (size == 0 || !utf8_is_valid(text, size))
		return 0;
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return 0;
	*ret_copy = strdup(text);
	return *ret_copy ? 0 : -ENOMEM;
}

static int read_model(char **ret_model)
{
	for (size_t i = 0; i < array_length(model_files) && !*ret_model; i++) {
		_cleanup_(fclosep) FILE *file = fopen(model_files[i], "re");
		char line[256] = "";

		if (!file || !fgets(line, sizeof(line), file))
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (copy_if_fit(line, ret_model) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* os-release(5): PRETTY_NAME="…"; the quotes are taken off, escapes are rare and stay. */
static int read_operating_system(char **ret_name)
{
	static const char key[] = "PRETTY_NAME=";

	for (size_t i = 0; i < array_length(release_files); i++) {
		_cleanup_(fclosep) FILE *file = fopen(release_files[i], "re");
		char line[512];

		while (file && fgets(line, sizeof(line), file)) {
			char *value = line + strlen(key);

			if (strncmp(line, key, strlen(key)) != 0)
				continue;
			value += strspn(value, "\"'");
			value[strcspn(value, "\"'\n")] = '\0';
			return copy_if_fit(value, ret_name);
		}
	}
	return 0;
}

int device_describe(struct profile *profile)
{
	struct utsname names;

	if (uname(&names) == 0 && (copy_if_fit(names.nodename, &profile->device_name) < 0 ||
				   copy_if_fit(names.machine, &profile->architecture) < 0 ||
				   copy_if_fit(names.release, &profile->kernel) < 0))
		return -ENOMEM;
	if (read_model(&profile->model) < 0)
		return -ENOMEM;
	return read_operating_system(&profile->operating_system);
}
