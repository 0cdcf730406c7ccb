/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_free(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}

static bool reserve(struct text *text, size_t more)
{
	size_t needed;
	size_t capacity;
	char *bytes;

	if (text->broken || more > SIZE_MAX / 4 || text->length > SIZE_MAX / 4) {
		text->broken = true;
		return false;
	}
	needed = text->length + more + 1;
	if (needed <= text->capacity)
		return true;
	capacity = text->capacity ? text->capacity : 64;
	while (capacity < needed)
		capacity *= 2;
	bytes = realloc(text->bytes, capacity);
	if (!bytes) {
		text->broken = true;
		return false;
	}
	text->bytes = bytes;
	text->capacity = capacity;
	return true;
}

void text_append_bytes(struct text *text, const void *bytes, size_t size)
{
	if (!reserve(text, size))
		return;
	if (size)
		memcpy(text->bytes + text->length, bytes, size);
	text->length += size;
	text->bytes[text->length] = '\0';
}

void text_append(struct text *text, const char *string)
{
	text_append_bytes(text, string, strlen(string));
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0 || !reserve(text, (size_t)length)) {
		text->broken = true;
		return;
	}
	va_start(arguments, format);
	(void)vsnprintf(text->bytes + text->length, (size_t)length + 1, format, arguments);
	va_end(arguments);
	text->length += (size_t)length;
}

int text_finish(struct text *text, char **ret_string)
{
	if (!text->broken)
		text_append(text, "");
	if (text->broken) {
		text_free(text);
		return -ENOMEM;
	}
	*ret_string = text->bytes;
	*text = (struct text){0};
	return 0;
}

void hex_encode(const uint8_t *bytes, size_t size, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

int hex_decode(const char *text, uint8_t *bytes, size_t size)
{
	if (strlen(text) != 2 * size)
		return -EINVAL;
	for (size_t i = 0; i < size; i++) {
		int high = hex_value(text[2 * i]);
		int low = hex_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

/* The length of the well-formed sequence at bytes, or 0. Table 3-7 of the Unicode standard. */
static size_t utf8_sequence(const unsigned char *bytes, size_t size)
{
	unsigned char first = bytes[0];
	unsigned char low = 0x80;
	unsigned char high = 0xbf;
	size_t length;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (size < length)
		return 0;
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	if (bytes[1] < low || bytes[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

bool utf8_is_valid(const char *bytes, size_t size)
{
	for (size_t at = 0; at < size;) {
		size_t length = utf8_sequence((const unsigned char *)bytes + at, size - at);

		if (!length)
			return false;
		at += length;
	}
	return true;
}

static bool is_control(const unsigned char *bytes, size_t length)
{
	return bytes[0] < 0x20 || bytes[0] == 0x7f ||
	       (length == 2 && bytes[0] == 0xc2 && bytes[1] < 0xa0);
}

void text_printable(const char *text, char *out, size_t out_size)
{
	size_t size = strlen(text);
	size_t used = 0;

	for (size_t at = 0; at < size;) {
		const unsigned char *bytes = (const unsigned char *)text + at;
		size_t length = utf8_sequence(bytes, size - at);
		bool control = is_control(bytes, length);

		if (used + (length ? length : 1) >= out_size)
			break;
		if (!length || control) {
			out[used++] = '?';
			at += length ? length : 1;
			continue;
		}
		memcpy(out + used, bytes, length);
		used += length;
		at += length;
	}
	if (out_size)
		out[used] = '\0';
}

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

char *text_escape(const char *bytes, size_t limit)
{
	size_t size = strlen(bytes);
	struct text text = {0};
	char *string;

	for (size_t at = 0; at < size;) {
		const unsigned char *next = (const unsigned char *)bytes + at;
		size_t length = utf8_sequence(next, size - at);
		bool plain = length && !is_control(next, length) &&
			     (length != 3 || memcmp(next, REPLACEMENT, 3) != 0);
		char escaped[16];

		(void)snprintf(escaped, sizeof(escaped), REPLACEMENT "%02x", next[0]);
		if (text.length + (plain ? length : strlen(escaped)) > limit)
			break;
		text_append_bytes(&text, plain ? (const char *)next : escaped,
				  plain ? length : strlen(escaped));
		at += plain ? length : 1;
	}
	return text_finish(&text, &string) < 0 ? NULL : string;
}

const char *path_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int number_parse(const char *text, uint64_t limit, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (*text < '0' || *text > '9')
			return -EINVAL;
		if (number > limit / 10 || number * 10 > limit - digit)
			return -ERANGE;
		number = number * 10 + digit;
	}
	*ret_number = number;
	return 0;
}

int array_reserve(void *array_pointer, size_t *capacity, size_t count, size_t item_size)
{
	void **array = array_pointer;
	size_t larger = *capacity ? *capacity * 2 : 8;
	void *moved;

	if (count < *capacity)
		return 0;
	moved = reallocarray(*array, larger, item_size);
	if (!moved)
		return -ENOMEM;
	*array = moved;
	*capacity = larger;
	return 0;
}
