/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/backend.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

/* In the order in which they are tried. */
static const struct backend_type *const BACKENDS[] = {
	&backend_nftables,
	&backend_iptables,
};

static int find_by_name(const char *name, const struct backend_type **ret_type, struct error *error)
{
	struct text names = {0};
	int result;

	for (size_t i = 0; i < array_length(BACKENDS); i++)
		if (strcmp(BACKENDS[i]->name, name) == 0) {
			result = BACKENDS[i]->probe(error);
			if (result == 0)
				*ret_type = BACKENDS[i];
			return result;
		}
	for (size_t i = 0; i < array_length(BACKENDS); i++)
		text_printf(&names, "%s%s", i ? ", " : "", BACKENDS[i]->name);
	result = error_set(error, EINVAL, "no packet filter is called '%s': there are %s", name,
			   names.bytes ? names.bytes : "none");
	text_free(&names);
	return result;
}

int backend_choose(const char *name, const struct backend_type **ret_type, struct error *error)
{
	struct text reasons = {0};
	int result;

	if (name)
		return find_by_name(name, ret_type, error);
	for (size_t i = 0; i < array_length(BACKENDS); i++) {
		struct error reason = {0};

		if (BACKENDS[i]->probe(&reason) == 0) {
			*ret_type = BACKENDS[i];
			text_free(&reasons);
			return 0;
		}
		text_printf(&reasons, "%s%s", i ? "; " : "", reason.message);
	}
	result = error_set(error, EOPNOTSUPP, "no packet filter can work here: %s",
			   reasons.bytes ? reasons.bytes : strerror(ENOMEM));
	text_free(&reasons);
	return result;
}

/* All of them, also when one cannot be: what is left is left of that one alone. */
int backend_clear_all(struct error *error)
{
	int first = 0;

	for (size_t i = 0; i < array_length(BACKENDS); i++) {
		struct error reason = {0};
		int result = BACKENDS[i]->clear(&reason);

		if (result < 0 && first == 0)
			first = error_set(error, -result, "%s", reason.message);
	}
	return first;
}
