/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "profiles/shape.h"

/* What is wrong, in jansson's words and with the place: only who reads an error waits for that. */
static int syntax_fault(const char *bytes, size_t size, struct profile_fault *fault)
{
	json_error_t error = {.text = "is no JSON that can be read"};
	json_t *document = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
	bool no_memory = !document && json_error_code(&error) == json_error_out_of_memory;

	json_decref(document);
	fault->code = no_memory ? ENOMEM : EINVAL;
	(void)snprintf(fault->place, sizeof(fault->place), "line %d, column %d", error.line,
		       error.column);
	text_printable(error.text, fault->message, sizeof(fault->message));
	return -fault->code;
}

static int parse_syntax(const char *bytes, size_t size, struct document **ret_document,
			struct profile_fault *fault)
{
	struct place root = {.fault = fault};
	int result;

	if (size > PROFILE_SIZE_LIMIT)
		return fault_set(&root, EFBIG, "larger than the limit of %u bytes",
				 PROFILE_SIZE_LIMIT);
	if (size == 0)
		return fault_set(&root, EINVAL, "is empty: expected a JSON document");
	result = document_parse(bytes, size, PROFILE_VALUE_LIMIT, ret_document);
	if (result == -EFBIG)
		return fault_set(&root, EFBIG, "more than %u values", PROFILE_VALUE_LIMIT);
	if (result == -ENOMEM)
		return fault_memory(&root);
	return result < 0 ? syntax_fault(bytes, size, fault) : 0;
}

int profile_examine(const char *bytes, size_t size, struct profile **ret_profile,
		    struct profile_fault *ret_fault)
{
	_cleanup_(profile_freep) struct profile *profile = profile_new();
	_cleanup_(document_freep) struct document *document = NULL;
	struct place root = {.fault = ret_fault};
	int result;

	if (!profile)
		return fault_memory(&root);
	result = parse_syntax(bytes, size, &document, ret_fault);
	if (result < 0)
		return result;
	result = format_expect(&root, document_root(document));
	if (result < 0)
		return result;
	result = object_read(&root, &profile_shape, document_root(document), profile);
	if (result < 0)
		return result;
	profile_canonicalise(profile);
	*ret_profile = take_pointer(profile);
	return 0;
}

int profile_parse(const char *origin, const char *bytes, size_t size, struct profile **ret_profile,
		  struct error *error)
{
	struct profile_fault fault = {0};
	int result = profile_examine(bytes, size, ret_profile, &fault);

	if (result < 0)
		return error_set(error, fault.code, "%s: %s%s%s", origin, fault.place,
				 *fault.place ? ": " : "", fault.message);
	return 0;
}

int profile_load(const char *path, struct profile **ret_profile, struct error *error)
{
	_cleanup_(freep) char *bytes = NULL;
	size_t size;
	int result = file_read(path, PROFILE_SIZE_LIMIT, &bytes, &size, error);

	return result < 0 ? result : profile_parse(path, bytes, size, ret_profile, error);
}
