/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

int error_set(struct error *error, int code, const char *format, ...)
{
	va_list arguments;

	if (!error)
		return -code;
	error->code = code;
	va_start(arguments, format);
	(void)vsnprintf(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	return -code;
}

int error_prefix(struct error *error, const char *format, ...)
{
	char former[sizeof(error->message)];
	va_list arguments;
	int length;

	if (!error)
		return 0;
	memcpy(former, error->message, sizeof(former));
	va_start(arguments, format);
	length = vsnprintf(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	if (length >= 0 && (size_t)length < sizeof(error->message))
		(void)snprintf(error->message + length, sizeof(error->message) - (size_t)length,
			       ": %s", former);
	return -error->code;
}
