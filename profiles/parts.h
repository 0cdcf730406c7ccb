/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILES_PARTS_H
#define PROFILES_PARTS_H

#include "profiles/profile.h"

/* Within profiles/ only: release of single entries, and the order of entries. */

typedef void (*clear_fn)(void *item);
void program_clear(void *program);
void script_clear(void *script);
void library_clear(void *library);
void listener_clear(void *listener);
void connection_clear(void *connection);
void device_clear(void *device);

/* As qsort(3) wants them. Identity: what makes two entries the same one, so that a file may hold
 * only one of them. It is also the canonical order. */
typedef int (*compare_fn)(const void *a, const void *b);
int program_compare(const void *a, const void *b);    /* path, checksum */
int script_compare(const void *a, const void *b);     /* everything */
int library_compare(const void *a, const void *b);    /* everything */
int listener_compare(const void *a, const void *b);   /* everything but the family */
int connection_compare(const void *a, const void *b); /* everything */
int device_compare(const void *a, const void *b);     /* MAC */
int string_compare(const void *a, const void *b);     /* char * items, by bytes */
int string_list_compare(const void *a, const void *b);

/* Whether the items are sorted already, and none is there twice: as in every file that rtguard
 * wrote. */
bool is_ascending(const void *items, size_t count, size_t item_size, compare_fn compare);

/* Looks for two items of one identity. Returns 1 with their indexes (the lower first), 0 when there
 * are none, or -ENOMEM. */
int duplicate_find(const void *items, size_t count, size_t item_size, compare_fn compare,
		   size_t *ret_first, size_t *ret_second);

#endif
