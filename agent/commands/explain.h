/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_EXPLAIN_H
#define COMMANDS_EXPLAIN_H

#include <jansson.h>

#include "profiles/profile.h"
#include "report/finding.h"

#define EXPLAIN_NEAREST_LIMIT 8 /* entries that are told */

/* explain_nearest.c: the entries of a profile that the finding came closest to, as a list of
 * {"relation", "entry"}; at most a few. NULL when memory is out. */
json_t *explain_nearest(const json_t *event, const struct profile *profile);

/* explain_delta.c: what would have to be added to the profile to permit it, {"policy": {…}}; or
 * NULL and in *ret_why a sentence why nothing can be. cautions: sentences are added to the list.
 */
json_t *explain_delta(const json_t *event, const struct profile *profile, json_t *cautions,
		      const char **ret_why);

/* explain_flow.c: the same for findings of the network. program: NULL or who it was. Adding to the
 * delta: 0, -ENOMEM, or -ENODATA where what is known is not enough. */
void explain_flow_nearest(json_t *list, enum finding_kind kind, const struct finding_flow *flow,
			  const struct profile *profile);
int explain_permit_connection(const struct finding_flow *flow, const char *program,
			      struct profile *delta, json_t *cautions);
int explain_permit_listener(const struct finding_flow *flow, struct profile *delta,
			    json_t *cautions);
int explain_permit_name(const struct finding_flow *flow, struct profile *delta, json_t *cautions);

#endif
