/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LEARN_PROGRAM_SET_H
#define LEARN_PROGRAM_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A set of programs, by their index in contacts.programs. All zero is empty. */
struct program_set {
	uint64_t *words;
	size_t count;
};

/* Return 0 or -ENOMEM. */
int program_set_add(struct program_set *set, uint32_t program);
int program_set_unite(struct program_set *set, const struct program_set *other);

bool program_set_has(const struct program_set *set, uint32_t program);
bool program_set_is_empty(const struct program_set *set);
void program_set_free(struct program_set *set);

#endif
