/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_EXPLAIN_H
#define COMMANDS_EXPLAIN_H

#include <jansson.h>

#include "profiles/profile.h"

/* explain_nearest.c: the entries of a profile that the finding came closest to, as a list of
 * {"relation", "entry"}; at most a few. NULL when memory is out. */
json_t *explain_nearest(const json_t *event, const struct profile *profile);

/* explain_delta.c: what would have to be added to the profile to permit it, {"policy": {…}}; or
 * NULL and in *ret_why a sentence why nothing can be. cautions: sentences are added to the list.
 */
json_t *explain_delta(const json_t *event, const struct profile *profile, json_t *cautions,
		      const char **ret_why);

#endif
