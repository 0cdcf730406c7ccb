/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_SET_GENERATIONS_H
#define BACKENDS_SET_GENERATIONS_H

#include "backends/ip_sets.h"
#include "rules/render.h"

/*
 * The sets of one program after the other: "rtguard-a4-names", then "rtguard-b4-names". A letter is
 * free when no set has it: usually 'a' and 'b' in turn; after a crash between the two families'
 * commits both may be in use, and the next one is 'c'.
 */

/* Destroys our sets except those of the generation `kept` (NUL: none) and of those that a rule
 * refers to. left: the letters that are still there, a string. */
#define SET_LETTERS_SIZE 27
int set_generations_sweep(struct ip_sets *sets, char kept, char left[SET_LETTERS_SIZE],
			  struct error *error);

/* The first that is not there; NUL: all are, which none but somebody else can bring about. */
char set_generations_next(const char *left);

/* Creates and fills the program's sets of that generation: the same as render_ipset() says. */
int set_generations_make(struct ip_sets *sets, const struct rule_program *program, char generation,
			 struct error *error);

/* What the rules of a family call the program's sets by; indices has room for all of them, those of
 * the other family stay as they are. */
int set_generations_indices(struct ip_sets *sets, const struct rule_program *program,
			    unsigned int family, char generation, uint16_t *indices,
			    struct error *error);

#endif
