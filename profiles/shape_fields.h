/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILES_SHAPE_FIELDS_H
#define PROFILES_SHAPE_FIELDS_H

#include <stddef.h>

#include "profiles/shape.h"
#include "profiles/text_kinds.h"

/* Within profiles/ only: how the lines of the tables in shape*.c are written. */

#define TEXT_FIELD(name, member, kind)                                                             \
	{                                                                                          \
		.key = (name), .type = &value_text, .offset = (member), .text = &(kind)            \
	}
#define NULLABLE_FIELD(name, member, kind)                                                         \
	{                                                                                          \
		.key = (name), .type = &value_text, .offset = (member), .optional = true,          \
		.text = &(kind)                                                                    \
	}
#define SET_FIELD(name, member, kind)                                                              \
	{                                                                                          \
		.key = (name), .type = &value_text_list, .offset = (member), .optional = true,     \
		.text = &(kind)                                                                    \
	}
#define ENTRIES_FIELD(name, member, array)                                                         \
	{                                                                                          \
		.key = (name), .type = &value_entries, .offset = (member), .optional = true,       \
		.entries = &(array)                                                                \
	}

#define ENTRIES_OF_PROFILE(shape_of_one, add_one, compare_two, items, item_count)                  \
	{                                                                                          \
		.shape = &(shape_of_one), .add = (add_one), .compare = (compare_two),              \
		.item_size = sizeof(*((struct profile *)NULL)->items),                             \
		.items_offset = offsetof(struct profile, items),                                   \
		.count_offset = offsetof(struct profile, item_count),                              \
	}

#endif
