/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROGRAM_LIBRARY_PLACES_H
#define PROGRAM_LIBRARY_PLACES_H

#include <stddef.h>

#include "program/library_search.h"

/* Within program/ only: in the order in which they are searched. */
struct library_places {
	char **directories;
	size_t count;
	size_t capacity;
};

#endif
