/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>

/*
 * What went wrong, for a person: the file, the place in it and what to do. Inside the program
 * errors are negative errno values; a function that a person may hear about also fills one of
 * these. The outermost caller prints it once; libraries stay silent.
 */
struct error {
	int code; /* positive errno, 0 while nothing happened */
	char message[512];
};

/* Sets the message and returns -code. NULL for error is allowed: then only the code travels. */
int error_set(struct error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of what is there (cutting the end if it grows too long) and returns
 * -error->code. */
int error_prefix(struct error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
