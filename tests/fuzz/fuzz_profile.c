/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "profiles/document.h"
#include "profiles/profile_json.h"

/* What is refused says where and why; what is accepted is written in a form that reads the same. */
static void require_canonical(struct profile *profile)
{
	struct profile_fault fault = {0};
	struct profile *again = NULL;
	char *text = NULL;
	char *second = NULL;

	fuzz_require(profile_format(profile, &text, NULL) == 0);
	fuzz_require(profile_examine(text, strlen(text), &again, &fault) == 0);
	fuzz_require(profile_format(again, &second, NULL) == 0);
	fuzz_require(strcmp(text, second) == 0);
	profile_free(again);
	free(text);
	free(second);
}

/* The profile's own reader of JSON takes no more than jansson does, and understands the same. */
static void require_json(const uint8_t *bytes, size_t size)
{
	struct document *document = NULL;
	json_t *own;
	json_t *other;

	if (document_parse((const char *)bytes, size, PROFILE_VALUE_LIMIT, &document) < 0)
		return;
	own = node_to_json(document_root(document));
	other = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
	fuzz_require(own && other && json_equal(own, other));
	json_decref(own);
	json_decref(other);
	document_free(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct profile_fault fault = {0};
	struct profile *profile = NULL;
	int result = profile_examine((const char *)bytes, size, &profile, &fault);

	require_json(bytes, size);
	if (result < 0) {
		fuzz_require(!profile && fault.code == -result && fault.message[0]);
		fuzz_require(result == -EINVAL || result == -EFBIG);
		return 0;
	}
	require_canonical(profile);
	profile_free(profile);
	return 0;
}
