/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_SETTING_TABLE_H
#define KERNEL_SETTING_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#define SETTING_WAYS_MAX   2
#define SETTING_VALUES_MAX 2

/* One kernel setting that closes the gap. */
struct setting_way {
	const char *sysctl;
	long enough;			/* this value, or a stricter one, closes it */
	bool at_most;			/* stricter is less */
	size_t values;			/* how many there are in value[] */
	long value[SETTING_VALUES_MAX]; /* to be set: the first that the kernel takes */
};

/* A gap by name, and the ways to close it: the first that this kernel has is taken. */
struct setting {
	const char *name;
	bool one_way; /* the kernel puts it back at the next boot only */
	struct setting_way ways[SETTING_WAYS_MAX];
};

extern const struct setting setting_table[];
extern const size_t setting_count;

/* NULL when there is none of that name. */
const struct setting *setting_find(const char *name);
const struct setting_way *setting_way_find(const char *sysctl);

bool setting_is_enough(const struct setting_way *way, long value);

#endif
