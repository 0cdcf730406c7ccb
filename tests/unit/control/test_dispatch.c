/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "control/dispatch.h"
#include "control/protocol.h"

static json_t *count_call(void *context, struct control_peer *peer, const json_t *request)
{
	(void)peer;
	(void)request;
	++*(int *)context;
	return control_ok();
}

static const struct control_command commands[] = {
	{"look", false, count_call},
	{"change", true, count_call},
	{0},
};

static void requests_find_their_handler(void **state)
{
	static const struct {
		const char *request;
		bool is_root;
		const char *error; /* part of it; NULL: handled */
	} cases[] = {
		{"{\"request\":\"look\"}", false, NULL},
		{"{\"request\":\"look\",\"more\":[1]}", false, NULL},
		{"{\"request\":\"change\"}", true, NULL},
		{"{\"request\":\"change\"}", false, "for root only"},
		{"{\"request\":\"nothing\"}", true, "no request 'nothing'"},
		{"{\"request\":\"\"}", true, "no request ''"},
		{"{\"request\":7}", true, "is an object with"},
		{"{}", true, "is an object with"},
		{"[\"request\"]", true, "is an object with"},
		{"{\"request\":\"look\"", true, "no JSON object"},
		{"{\"request\":\"look\"}x", true, "no JSON object"},
		{"{\"request\":\"look\",\"request\":\"look\"}", true, "no JSON object"},
		{"\xff", true, "no JSON object"},
		{"", true, "no JSON object"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int calls = 0;
		json_t *answer = control_dispatch(commands, &calls, NULL, cases[i].is_root,
						  cases[i].request, strlen(cases[i].request));
		const char *error = json_string_value(json_object_get(answer, CONTROL_ERROR));

		assert_non_null(answer);
		assert_int_equal(calls, cases[i].error ? 0 : 1);
		if (cases[i].error)
			assert_non_null(strstr(error, cases[i].error));
		else
			assert_true(json_is_true(json_object_get(answer, CONTROL_OK)));
		json_decref(answer);
	}
}

static void errors_are_text_whatever_they_quote(void **state)
{
	json_t *answer = control_error("%s", "a\xff\x1b[2J");

	(void)state;
	assert_string_equal(json_string_value(json_object_get(answer, CONTROL_ERROR)),
			    "a\xef\xbf\xbd"
			    "ff\xef\xbf\xbd"
			    "1b[2J");
	json_decref(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_find_their_handler),
		cmocka_unit_test(errors_are_text_whatever_they_quote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
