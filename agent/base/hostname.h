/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_HOSTNAME_H
#define BASE_HOSTNAME_H

#include <stdbool.h>
#include <stddef.h>

/* A longest host name in text and its NUL, RFC 1035 section 2.3.4. */
#define HOSTNAME_SIZE 254

/* Whether text is a host name in the one form that is compared and written down: labels of 1 to 63
 * lower-case letters, digits, '-' and '_' (services have it, RFC 8552), at most 253 bytes in all,
 * no final dot, and a last label that is not a number (RFC 1123 section 2.1: or else an address in
 * text would be a name). */
bool hostname_is_valid(const char *text);

/* The same form from what others wrote: upper case becomes lower, one final dot goes. bytes need no
 * NUL, and must not contain one. Returns 0 or -EINVAL. */
int hostname_normalise(const char *bytes, size_t size, char ret_name[HOSTNAME_SIZE]);

#endif
