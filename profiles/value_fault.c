/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "profiles/value.h"

/* Keys from hostile files are cut to this in pointers. */
#define KEY_SHOWN 64

/* RFC 6901: '~' and '/' within a key become "~0" and "~1". */
static void append_key(struct text *text, const char *key)
{
	char printable[KEY_SHOWN];

	text_printable(key, printable, sizeof(printable));
	for (const char *at = printable; *at; at++) {
		if (*at == '~' || *at == '/')
			text_append(text, *at == '~' ? "~0" : "~1");
		else
			text_append_bytes(text, at, 1);
	}
}

static void append_place(struct text *text, const struct place *at)
{
	if (!at->parent)
		return;
	append_place(text, at->parent);
	text_append(text, "/");
	if (at->key)
		append_key(text, at->key);
	else
		text_printf(text, "%zu", at->index);
}

int fault_set(const struct place *at, int code, const char *format, ...)
{
	struct profile_fault *fault = at->fault;
	struct text pointer = {0};
	va_list arguments;

	fault->code = code;
	append_place(&pointer, at);
	(void)snprintf(fault->place, sizeof(fault->place), "%s",
		       pointer.bytes && !pointer.broken ? pointer.bytes : "");
	text_free(&pointer);
	va_start(arguments, format);
	(void)vsnprintf(fault->message, sizeof(fault->message), format, arguments);
	va_end(arguments);
	return -code;
}

static void describe(const struct node *value, char *out, size_t out_size)
{
	char printable[41];

	switch (value->type) {
	case NODE_STRING:
		text_printable(node_string(value), printable, sizeof(printable));
		(void)snprintf(out, out_size, "\"%s%s\"", printable,
			       strlen(node_string(value)) > strlen(printable) ? "…" : "");
		break;
	case NODE_INTEGER:
		(void)snprintf(out, out_size, "%" PRId64, value->integer);
		break;
	case NODE_REAL:
		(void)snprintf(out, out_size, "%.15g", value->real);
		break;
	case NODE_OBJECT:
		(void)snprintf(out, out_size, "an object");
		break;
	case NODE_ARRAY:
		(void)snprintf(out, out_size, "an array");
		break;
	case NODE_TRUE:
		(void)snprintf(out, out_size, "true");
		break;
	case NODE_FALSE:
		(void)snprintf(out, out_size, "false");
		break;
	case NODE_NULL:
		(void)snprintf(out, out_size, "null");
		break;
	}
}

int fault_expected(const struct place *at, const char *expected, const struct node *found)
{
	char description[64] = "";

	describe(found, description, sizeof(description));
	return fault_set(at, EINVAL, "expected %s, found %s", expected, description);
}

int fault_memory(const struct place *at)
{
	return fault_set(at, ENOMEM, "out of memory");
}
