/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/iptc_table.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

#define ATTEMPTS 20

/* libiptc carries the counters of rules over into the new table, and sets those of policies to
 * zero unless they are set to what they were. */
static void keep_policy_counters(const struct iptc_family *family, struct xtc_handle *handle)
{
	for (const char *chain = family->first_chain(handle); chain;
	     chain = family->next_chain(handle)) {
		struct xt_counters counters;
		const char *policy = family->policy(chain, &counters, handle);

		if (policy)
			(void)family->set_policy(chain, policy, &counters, handle);
	}
}

int iptc_table_change(const struct iptc_family *family, iptc_change_fn change, void *context,
		      struct error *error)
{
	for (unsigned int attempt = 0; attempt < ATTEMPTS; attempt++) {
		struct xtc_handle *handle;
		int result = iptc_family_open(family, &handle, error);
		int code;

		if (result < 0)
			return result;
		result = change(context, family, handle, error);
		if (result == 0)
			keep_policy_counters(family, handle);
		if (result != 0 || family->commit(handle)) {
			family->free(handle);
			return result < 0 ? result : 0;
		}
		code = errno;
		family->free(handle);
		/* the kernel's answer to a snapshot with another number of rules than the table */
		if (code != EAGAIN)
			return error_set(error, code ? code : EIO,
					 "%s table " IPTC_TABLE ": the kernel refused the rules "
					 "(its log may say which): %s",
					 family->name, family->describe(code));
	}
	return error_set(error, EBUSY,
			 "%s table " IPTC_TABLE ": somebody else changes it all the time, and does "
			 "not keep to the lock of iptables",
			 family->name);
}

/* ---- replacing ---- */

struct replacement {
	const struct iptc_rules *rules;
	struct iptc_rules before;
};

static int replace(void *context, const struct iptc_family *family, struct xtc_handle *handle,
		   struct error *error)
{
	struct replacement *replacement = context;
	int result;

	iptc_rules_free(&replacement->before);
	result = iptc_rules_read(family, handle, &replacement->before);
	if (result < 0)
		return error_set(error, -result, "%s table " IPTC_TABLE ": %s", family->name,
				 strerror(-result));
	if (iptc_rules_are_empty(replacement->rules) && iptc_rules_are_empty(&replacement->before))
		return 1;
	return iptc_rules_put(family, handle, replacement->rules, error);
}

int iptc_table_replace(const struct iptc_family *family, const struct iptc_rules *rules,
		       struct iptc_rules *ret_before, struct error *error)
{
	struct replacement replacement = {.rules = rules};
	int result = iptc_table_change(family, replace, &replacement, error);

	if (result == 0 && ret_before)
		*ret_before = replacement.before;
	else
		iptc_rules_free(&replacement.before);
	return result;
}

int iptc_table_read(const struct iptc_family *family, struct iptc_rules *rules, struct error *error)
{
	struct xtc_handle *handle;
	int result = iptc_family_open(family, &handle, error);

	if (result < 0)
		return result;
	result = iptc_rules_read(family, handle, rules);
	family->free(handle);
	return result < 0 ? error_set(error, -result, "%s table " IPTC_TABLE ": %s", family->name,
				      strerror(-result))
			  : 0;
}
