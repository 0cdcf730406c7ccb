/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "profiles/profile_json.h"

static int examine(const char *bytes, size_t size, struct profile_fault *ret_fault)
{
	struct profile *profile = NULL;
	int result;

	*ret_fault = (struct profile_fault){0};
	result = profile_examine(bytes, size, &profile, ret_fault);
	assert_int_equal(result, -ret_fault->code);
	assert_int_equal(result == 0, profile != NULL);
	profile_free(profile);
	return result;
}

/* A case of broken.json as the bytes of a profile. */
static char *document_of(const json_t *broken)
{
	const json_t *text = json_object_get(broken, "text");
	const json_t *document = json_object_get(broken, "document");
	json_t *whole;
	char *bytes;

	if (text)
		return strdup(json_string_value(text));
	if (document)
		return json_dumps(document, 0);
	whole = json_pack("{s:s, s:O}", "format", PROFILE_FORMAT, "policy",
			  json_object_get(broken, "policy"));
	bytes = json_dumps(whole, 0);
	json_decref(whole);
	return bytes;
}

static void what_is_broken_is_refused_and_says_where(void **state)
{
	json_error_t error;
	json_t *cases = json_load_file(getenv("RTGUARD_BROKEN_PROFILES"), 0, &error);
	json_t *broken;
	size_t index;

	(void)state;
	assert_non_null(cases);
	assert_true(json_array_size(cases) > 100);
	json_array_foreach(cases, index, broken)
	{
		const char *place = json_string_value(json_object_get(broken, "place"));
		const char *message = json_string_value(json_object_get(broken, "message"));
		char *document = document_of(broken);
		struct profile_fault fault;

		if (examine(document, strlen(document), &fault) >= 0)
			fail_msg("case %zu was accepted: %s", index, document);
		/* of syntax errors the line is enough */
		if (strncmp(fault.place, place, strlen(place)) != 0 ||
		    (place[0] != 'l' && strlen(place) != strlen(fault.place)))
			fail_msg("case %zu: at \"%s\", not \"%s\"", index, fault.place, place);
		if (!strstr(fault.message, message))
			fail_msg("case %zu: \"%s\" says nothing of \"%s\"", index, fault.message,
				 message);
		free(document);
	}
	json_decref(cases);
}

static void errors_name_file_place_and_remedy(void **state)
{
	static const char document[] =
		"{\"format\":\"rtguard-profile/1\",\"policy\":{\"connections\":["
		"{\"protocol\":\"tcp\",\"peer\":{\"role\":\"lan\"},\"port\":-1}]}}";
	struct profile *profile = NULL;
	struct error error = {0};

	(void)state;
	assert_int_equal(profile_parse("camera.json", document, strlen(document), &profile, &error),
			 -EINVAL);
	assert_string_equal(error.message, "camera.json: /policy/connections/0/port: expected a "
					   "number from 0 to 65535, found -1");
	assert_null(profile);
	assert_int_equal(profile_parse("x", "{\n  nonsense", 12, &profile, &error), -EINVAL);
	assert_non_null(strstr(error.message, "x: line 2, column "));
	assert_int_equal(profile_load("/nonexistent.json", &profile, &error), -ENOENT);
	assert_int_equal(profile_load("/", &profile, &error), -EISDIR);
}

/* prefix, then count times unit, then suffix. */
static char *repeated(const char *prefix, const char *unit, size_t count, const char *suffix)
{
	struct text text = {0};
	char *string = NULL;

	text_append(&text, prefix);
	for (size_t i = 0; i < count; i++)
		text_append(&text, unit);
	text_append(&text, suffix);
	assert_int_equal(text_finish(&text, &string), 0);
	return string;
}

#define POLICY "{\"format\":\"rtguard-profile/1\",\"policy\":{"

static void sizes_are_bounded(void **state)
{
	static const struct {
		const char *prefix;
		const char *unit;
		size_t count;
		const char *suffix;
		int code;
		const char *place;
	} cases[] = {
		/* a string of 10 MB, where strings are checked and where they are kept */
		{POLICY "\"programs\":[{\"path\":\"/", "x", 10000000, "\"}]}}", EFBIG,
		 "/policy/programs/0/path"},
		{POLICY "},\"evidence\":{\"a\":[{\"b\":\"", "x", 10000000, "\"}]}}", EFBIG,
		 "/evidence/a/0/b"},
		{POLICY "\"", "x", 10000000, "\":1}}", EINVAL,
		 "/policy/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
		/* deeper than any reader's stack */
		{"", "[", 1000000, "", EINVAL, "line 1"},
		{POLICY "},\"evidence\":{\"a\":", "[", 5000, "", EINVAL, "line 1"},
		/* more values than memory is for */
		{POLICY "},\"evidence\":{\"a\":[", "[],", 3000000, "[]]}}", EFBIG, ""},
		{POLICY "\"names\":[", "0,", 100000, "0]}}", EFBIG, "/policy/names"},
		{"", " ", PROFILE_SIZE_LIMIT + 1, "", EFBIG, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *document =
			repeated(cases[i].prefix, cases[i].unit, cases[i].count, cases[i].suffix);
		struct profile_fault fault;

		assert_int_equal(examine(document, strlen(document), &fault), -cases[i].code);
		assert_int_equal(strncmp(fault.place, cases[i].place, strlen(cases[i].place)), 0);
		free(document);
	}
}

static void only_values_count_as_values(void **state)
{
	char commas[4096];
	struct text text = {0};
	struct profile_fault fault;
	char *document;

	(void)state;
	memset(commas, ',', sizeof(commas) - 1);
	commas[sizeof(commas) - 1] = '\0';
	text_append(&text, POLICY "},\"evidence\":{\"a\":[\"\\\"[\"");
	for (size_t i = 0; i <= PROFILE_VALUE_LIMIT / sizeof(commas); i++)
		text_printf(&text, ",\"%s\"", commas);
	text_append(&text, "]}}");
	assert_int_equal(text_finish(&text, &document), 0);
	assert_int_equal(examine(document, strlen(document), &fault), 0);
	free(document);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
	static const char *const documents[] = {
		POLICY "\"names\":[\"\xff\"]}}",
		POLICY "\"names\":[\"\xc0\x80\"]}}",
		POLICY "\"names\":[\"\xed\xa0\x80\"]}}",
		POLICY "},\"evidence\":{\"\xe2\x82\":1}}",
		"\xef\xbb\xbf" POLICY "}}",
	};
	struct profile_fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		assert_int_equal(examine(documents[i], strlen(documents[i]), &fault), -EINVAL);
		assert_int_equal(strncmp(fault.place, "line 1", 6), 0);
	}
	/* a NUL in the middle does not end the document unseen */
	assert_int_equal(examine(POLICY "}}\0junk", sizeof(POLICY "}}\0junk") - 1, &fault),
			 -EINVAL);
}

static void a_cut_file_is_refused_wherever_it_is_cut(void **state)
{
	static const char *const names[] = {"camera", "gateway-with-bridge", "recorded-sensor",
					    "signed-sensor"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct profile_fault fault;
		char path[512];
		char *bytes;
		size_t size;

		(void)snprintf(path, sizeof(path), "%s/%s.json", getenv("RTGUARD_EXAMPLES"),
			       names[i]);
		assert_int_equal(file_read(path, PROFILE_SIZE_LIMIT, &bytes, &size, NULL), 0);
		assert_int_equal(examine(bytes, size, &fault), 0);
		/* all but the final newline has to be there */
		for (size_t cut = 0; cut < size - 1; cut++)
			assert_int_equal(examine(bytes, cut, &fault), -EINVAL);
		free(bytes);
	}
}

static void a_full_profile_loads_quickly(void **state)
{
	struct text text = {0};
	struct profile_fault fault;
	uint64_t started_ns;
	char *document;

	(void)state;
	text_append(&text, POLICY "\"programs\":[");
	for (unsigned int i = 0; i < PROFILE_ENTRY_LIMIT; i++)
		text_printf(&text, "%s{\"path\":\"/p/%u\",\"phase\":\"both\",\"users\":[\"root\"]}",
			    i ? "," : "", i * 7919 % PROFILE_ENTRY_LIMIT);
	text_append(&text, "]}}");
	assert_int_equal(text_finish(&text, &document), 0);
	started_ns = clock_monotonic_ns();
	assert_int_equal(examine(document, strlen(document), &fault), 0);
	/* generous: sanitizers and a busy machine; a quadratic reader takes minutes */
	assert_true(clock_monotonic_ns() - started_ns < 20 * NS_PER_S);
	free(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_broken_is_refused_and_says_where),
		cmocka_unit_test(errors_name_file_place_and_remedy),
		cmocka_unit_test(sizes_are_bounded),
		cmocka_unit_test(only_values_count_as_values),
		cmocka_unit_test(bytes_that_are_no_text_are_refused),
		cmocka_unit_test(a_cut_file_is_refused_wherever_it_is_cut),
		cmocka_unit_test(a_full_profile_loads_quickly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
