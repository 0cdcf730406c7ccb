/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/release.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "base/cleanup.h"

#define NUMBER_MAX 99999U

int kernel_release_parse(const char *text, struct kernel_release *ret_release)
{
	struct kernel_release release = {0};

	for (size_t i = 0; i < array_length(release.number); i++) {
		if (i > 0 && *text != '.')
			break;
		if (i > 0)
			text++;
		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		for (; isdigit((unsigned char)*text); text++) {
			release.number[i] = release.number[i] * 10 + (unsigned int)(*text - '0');
			if (release.number[i] > NUMBER_MAX)
				return -EINVAL;
		}
		if (i == 0 && *text != '.')
			return -EINVAL;
	}
	if (release.number[0] == 0)
		return -EINVAL;
	*ret_release = release;
	return 0;
}

int kernel_release_running(struct kernel_release *ret_release)
{
	struct utsname names;

	if (uname(&names) < 0)
		return -errno;
	return kernel_release_parse(names.release, ret_release);
}

bool kernel_release_before(struct kernel_release release, struct kernel_release other)
{
	for (size_t i = 0; i < array_length(release.number); i++)
		if (release.number[i] != other.number[i])
			return release.number[i] < other.number[i];
	return false;
}

bool kernel_release_is_none(struct kernel_release release)
{
	return release.number[0] == 0;
}

void kernel_release_format(struct kernel_release release, char *out, size_t out_size)
{
	(void)snprintf(out, out_size, release.number[2] ? "%u.%u.%u" : "%u.%u", release.number[0],
		       release.number[1], release.number[2]);
}
