/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_IPTC_TABLE_H
#define BACKENDS_IPTC_TABLE_H

#include "backends/iptc_rules.h"

/*
 * One family's table filter in the kernel: read as a snapshot, replaced in one piece. The caller
 * holds the lock (xtables_lock.h) over changes.
 */

/* Changes a snapshot; the commit follows. Called again with a new snapshot when somebody else has
 * committed in between. Returns 0, 1 when there is nothing to change, or negative errno. */
typedef int (*iptc_change_fn)(void *context, const struct iptc_family *family,
			      struct xtc_handle *handle, struct error *error);

/* Errors: the function's; the kernel's; -EBUSY when others committed in between again and again. */
int iptc_table_change(const struct iptc_family *family, iptc_change_fn change, void *context,
		      struct error *error);

/* Puts these rules in the place of ours. ret_before: what they were, to be freed and to be put back
 * where something else fails; NULL: nobody needs it. */
int iptc_table_replace(const struct iptc_family *family, const struct iptc_rules *rules,
		       struct iptc_rules *ret_before, struct error *error);

/* rules must be zeroed. */
int iptc_table_read(const struct iptc_family *family, struct iptc_rules *rules,
		    struct error *error);

#endif
