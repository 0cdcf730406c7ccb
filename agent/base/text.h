/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing string. Zero-initialised is empty; text_free() releases it. After a failed append the
 * text is marked broken, further appends do nothing, and text_finish() reports -ENOMEM once. */
struct text {
	char *bytes; /* NUL-terminated, or NULL while empty */
	size_t length;
	size_t capacity;
	bool broken;
};

void text_free(struct text *text);
void text_append(struct text *text, const char *string);
void text_append_bytes(struct text *text, const void *bytes, size_t size);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Hands over the string (to be freed by the caller; "" when nothing was appended). 0 or -ENOMEM. */
int text_finish(struct text *text, char **ret_string);

/* Lower-case hexadecimal; out holds 2 * size + 1 bytes. */
void hex_encode(const uint8_t *bytes, size_t size, char *out);

/* Exactly 2 * size lower- or upper-case digits. Returns 0 or -EINVAL. */
int hex_decode(const char *text, uint8_t *bytes, size_t size);

/* Whether the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool utf8_is_valid(const char *bytes, size_t size);

/* Copies for a terminal: what is not well-formed UTF-8 and every control character (C0, DEL, C1)
 * becomes '?', so that a hostile name cannot steer the reader's screen. Always NUL-terminated. */
void text_printable(const char *text, char *out, size_t out_size);

/* Text for a file from bytes that need not be any: what is not well-formed UTF-8, every control
 * character (C0, DEL, C1) and U+FFFD itself become, byte by byte, U+FFFD and two hexadecimal
 * digits. Different bytes give different texts, unless they are cut: at most limit bytes come out,
 * whole characters. To be freed; NULL when memory is out. */
char *text_escape(const char *bytes, size_t limit);

/* What stands behind the last slash of a path, all of it where there is none. */
const char *path_base_name(const char *path);

/* A decimal number in [0, limit], nothing around it. Returns 0, -EINVAL or -ERANGE. */
int number_parse(const char *text, uint64_t limit, uint64_t *ret_number);

/* Makes room for one more item in a growing array. Returns 0 or -ENOMEM (array untouched). */
int array_reserve(void *array_pointer, size_t *capacity, size_t count, size_t item_size);

#endif
