/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/hostname.h"

#include <errno.h>
#include <string.h>

#define LABEL_MAX 63

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
}

static char to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_valid(const char *name, size_t size)
{
	size_t label_size = 0;
	bool label_is_number = true;

	if (size == 0 || size >= HOSTNAME_SIZE)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (name[i] == '.') {
			if (label_size == 0)
				return false;
			label_size = 0;
			label_is_number = true;
		} else if (!is_name_character(name[i]) || ++label_size > LABEL_MAX) {
			return false;
		} else if (!is_digit(name[i])) {
			label_is_number = false;
		}
	}
	return label_size > 0 && !label_is_number;
}

bool hostname_is_valid(const char *text)
{
	return is_valid(text, strnlen(text, HOSTNAME_SIZE));
}

int hostname_normalise(const char *bytes, size_t size, char ret_name[HOSTNAME_SIZE])
{
	char name[HOSTNAME_SIZE];

	if (size > 0 && bytes[size - 1] == '.')
		size--;
	if (size >= HOSTNAME_SIZE)
		return -EINVAL;
	for (size_t i = 0; i < size; i++)
		name[i] = to_lower(bytes[i]);
	if (!is_valid(name, size))
		return -EINVAL;
	memcpy(ret_name, name, size);
	ret_name[size] = '\0';
	return 0;
}
