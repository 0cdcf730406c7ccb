/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "profiles/shape.h"

/* Reals of the evidence: what a decimal of this length says survives reading and writing (DBL_DIG).
 */
#define REAL_DIGITS 15

static int append_chunk(const char *chunk, size_t size, void *context)
{
	struct text *text = context;

	text_append_bytes(text, chunk, size);
	return text->broken ? -1 : 0;
}

static int write_shape(struct profile *profile, const struct shape *shape, size_t flags,
		       const char *ending, char **ret_text, struct error *error)
{
	struct profile_fault fault = {0};
	struct place root = {.fault = &fault};
	struct text text = {0};
	json_t *document = NULL;
	int result;

	profile_canonicalise(profile);
	result = object_write(&root, shape, profile, &document);
	if (result < 0)
		return error_set(error, fault.code, "cannot write the profile: %s: %s", fault.place,
				 fault.message);
	result = json_dump_callback(document, append_chunk, &text,
				    flags | JSON_REAL_PRECISION(REAL_DIGITS));
	json_decref(document);
	text_append(&text, ending);
	if (result < 0 || text_finish(&text, ret_text) < 0) {
		text_free(&text);
		return error_set(error, ENOMEM, "cannot write the profile: out of memory");
	}
	return 0;
}

int profile_format(struct profile *profile, char **ret_text, struct error *error)
{
	return write_shape(profile, &profile_shape, JSON_INDENT(2), "\n", ret_text, error);
}

int profile_signed_bytes(struct profile *profile, char **ret_text, struct error *error)
{
	return write_shape(profile, &signed_shape, JSON_COMPACT, "", ret_text, error);
}

int profile_save(struct profile *profile, const char *path, struct error *error)
{
	_cleanup_(freep) char *text = NULL;

	if (profile_format(profile, &text, error) < 0 || !text)
		return error_prefix(error, "%s", path);
	return file_replace(path, text, strlen(text), error);
}
