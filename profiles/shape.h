/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILES_SHAPE_H
#define PROFILES_SHAPE_H

#include "profiles/value.h"

/* Within profiles/ only: the tables that say what is in a file. */
extern const struct shape profile_shape;	    /* struct profile; the whole document */
extern const struct shape signed_shape;		    /* struct profile; device and policy alone */
extern const struct entry_array program_entries;    /* of struct profile */
extern const struct entry_array listener_entries;   /* of struct profile_network */
extern const struct entry_array connection_entries; /* of struct profile_network */

/* Refuses another version before its unknown keys are complained of. */
int format_expect(const struct place *at, const struct node *document);

#endif
