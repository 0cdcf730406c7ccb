/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/match.h"

#include <stddef.h>
#include <string.h>

#include "base/hostname.h"

static bool is_digit(char letter)
{
	return letter >= '0' && letter <= '9';
}

bool name_in_domain(const char *name, const char *domain)
{
	size_t name_length = strlen(name);
	size_t domain_length = strlen(domain);
	const char *tail;

	if (domain_length == 0 || name_length < domain_length)
		return false;
	tail = name + (name_length - domain_length);
	return strcmp(tail, domain) == 0 && (tail == name || tail[-1] == '.');
}

bool name_fits_pattern(const char *name, const char *pattern)
{
	for (; *pattern; pattern++) {
		if (*pattern != '#') {
			if (*name++ != *pattern)
				return false;
			continue;
		}
		if (!is_digit(*name))
			return false;
		while (is_digit(*name))
			name++;
	}
	return *name == '\0';
}

bool pattern_is_valid(const char *pattern)
{
	char example[HOSTNAME_SIZE];
	size_t length = strlen(pattern);
	bool any = false;

	if (length >= HOSTNAME_SIZE)
		return false;
	for (size_t i = 0; i < length; i++) {
		example[i] = pattern[i];
		if (pattern[i] != '#')
			continue;
		if (pattern[i + 1] == '#' || is_digit(pattern[i + 1]) ||
		    (i > 0 && is_digit(pattern[i - 1])))
			return false;
		example[i] = '0';
		any = true;
	}
	example[length] = '\0';
	return any && hostname_is_valid(example);
}
