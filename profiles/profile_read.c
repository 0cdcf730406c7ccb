/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "profiles/shape.h"

static void freejsonp(json_t **value)
{
	json_decref(*value);
}

/* More values than all arrays and the evidence of a full profile hold: refused before a tree of
 * them takes a hundred times the memory of the file. Every value but the first follows one of
 * "[{,:". */
static bool has_too_many_values(const char *bytes, size_t size)
{
	bool within_string = false;
	size_t values = 0;

	for (size_t i = 0; i < size; i++) {
		if (within_string && bytes[i] == '\\')
			i++;
		else if (bytes[i] == '"')
			within_string = !within_string;
		else if (!within_string && (bytes[i] == '[' || bytes[i] == '{' || bytes[i] == ','))
			values++;
	}
	return values > PROFILE_VALUE_LIMIT;
}

static int syntax_fault(const json_error_t *error, struct profile_fault *fault)
{
	fault->code = json_error_code(error) == json_error_out_of_memory ? ENOMEM : EINVAL;
	(void)snprintf(fault->place, sizeof(fault->place), "line %d, column %d", error->line,
		       error->column);
	text_printable(error->text, fault->message, sizeof(fault->message));
	return -fault->code;
}

static int parse_syntax(const char *bytes, size_t size, json_t **ret_document,
			struct profile_fault *fault)
{
	struct place root = {.fault = fault};
	json_error_t error;

	if (size > PROFILE_SIZE_LIMIT)
		return fault_set(&root, EFBIG, "larger than the limit of %u bytes",
				 PROFILE_SIZE_LIMIT);
	if (size == 0)
		return fault_set(&root, EINVAL, "is empty: expected a JSON document");
	if (has_too_many_values(bytes, size))
		return fault_set(&root, EFBIG, "more than %u values", PROFILE_VALUE_LIMIT);
	*ret_document = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
	return *ret_document ? 0 : syntax_fault(&error, fault);
}

int profile_examine(const char *bytes, size_t size, struct profile **ret_profile,
		    struct profile_fault *ret_fault)
{
	_cleanup_(profile_freep) struct profile *profile = profile_new();
	_cleanup_(freejsonp) json_t *document = NULL;
	struct place root = {.fault = ret_fault};
	int result;

	if (!profile)
		return fault_memory(&root);
	result = parse_syntax(bytes, size, &document, ret_fault);
	if (result < 0)
		return result;
	result = format_expect(&root, document);
	if (result < 0)
		return result;
	result = object_read(&root, &profile_shape, document, profile);
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
