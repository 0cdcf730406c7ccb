/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "findings.h"
#include "report/event_line.h"

static char *line_of(json_t *event)
{
	char *line = event_line(event);

	assert_non_null(line);
	json_decref(event);
	return line;
}

static void finding_has_all_that_is_known(void **state)
{
	struct finding finding = make_finding("/tmp/tool", 0xab);
	char *line = line_of(event_of_finding(12, &finding));

	(void)state;
	assert_string_equal(
		line, "{\"id\":12,\"time\":\"2026-03-02T08:00:00Z\",\"event\":\"finding\","
		      "\"kind\":\"program-unknown\",\"path\":\"/tmp/tool\",\"sha256\":"
		      "\"abababababababababababababababababababababababababababababababab\","
		      "\"size\":1234,\"program\":\"/usr/bin/dash\",\"arguments\":[\"tool\",\"-x\"],"
		      "\"arguments_cut\":false,\"pid\":77,\"user\":1000,"
		      "\"ancestors\":[\"/usr/sbin/sshd\"],\"layer\":\"permission\","
		      "\"action\":\"denied\",\"since_exec_us\":null,\"repeats\":0}");
	assert_int_equal(event_line_id(line, strlen(line)), 12);
	assert_true(event_line_is_finding(line));
	free(line);
	line = line_of(event_of_repeats(13, 0, 12, 5, &finding));
	assert_true(event_line_is_finding(line));
	free(line);
	line = line_of(event_of_note(14, 0, "started", "\"event\":\"finding\""));
	assert_false(event_line_is_finding(line));
	free(line);
}

static void what_is_not_known_is_null(void **state)
{
	struct finding finding = {.kind = FINDING_IMAGE_UNKNOWN,
				  .user = UINT32_MAX,
				  .since_exec_ns = 2500,
				  .action = ACTION_KILLED};
	json_t *event = event_of_finding(1, &finding);

	(void)state;
	assert_non_null(event);
	assert_true(json_is_null(json_object_get(event, EVENT_KEY_PATH)));
	assert_true(json_is_null(json_object_get(event, EVENT_KEY_SHA256)));
	assert_true(json_is_null(json_object_get(event, EVENT_KEY_PROGRAM)));
	assert_true(json_is_null(json_object_get(event, EVENT_KEY_ARGUMENTS)));
	assert_true(json_is_null(json_object_get(event, EVENT_KEY_USER)));
	assert_int_equal(json_array_size(json_object_get(event, EVENT_KEY_ANCESTORS)), 0);
	assert_int_equal(json_integer_value(json_object_get(event, EVENT_KEY_SINCE_EXEC_US)), 2);
	json_decref(event);
}

/* Every byte there is, in every place, filling it to the brim. */
static void hostile_bytes_make_a_line_that_reads(void **state)
{
	struct finding finding = make_finding("", 1);
	json_t *event;
	char *line;

	(void)state;
	for (size_t i = 0; i < sizeof(finding.path) - 1; i++)
		finding.path[i] = (char)(i % 255 + 1);
	for (size_t i = 0; i < sizeof(finding.program) - 1; i++)
		finding.program[i] = "\"\\\n\xff\xed\xa0\x80\x1b"[i % 8];
	memset(finding.arguments, 0xfe, sizeof(finding.arguments)); /* cut: no NUL at all */
	finding.arguments_size = sizeof(finding.arguments);
	for (size_t i = 0; i < FINDING_ANCESTORS; i++)
		memset(finding.ancestors[i], 0x80, sizeof(finding.ancestors[i]) - 1);
	line = line_of(event_of_finding(EVENT_ID_LIMIT - 1, &finding));
	assert_true(strlen(line) < EVENT_LINE_LIMIT);
	assert_null(strchr(line, '\n'));
	assert_true(utf8_is_valid(line, strlen(line)));
	event = event_parse(line, strlen(line));
	assert_non_null(event);
	assert_true(json_is_true(json_object_get(event, EVENT_KEY_ARGUMENTS_CUT)));
	assert_int_equal(json_array_size(json_object_get(event, EVENT_KEY_ANCESTORS)),
			 FINDING_ANCESTORS);
	assert_int_equal(
		json_string_length(json_array_get(json_object_get(event, EVENT_KEY_ARGUMENTS), 0)),
		5 * FINDING_ARGUMENTS_SIZE);
	json_decref(event);
	free(line);
}

static void empty_arguments_stay(void **state)
{
	struct finding finding = make_finding("/x", 1);
	json_t *event;
	const json_t *arguments;

	(void)state;
	memcpy(finding.arguments, "a\0\0b", 5);
	finding.arguments_size = 5;
	event = event_of_finding(1, &finding);
	arguments = json_object_get(event, EVENT_KEY_ARGUMENTS);
	assert_int_equal(json_array_size(arguments), 3);
	assert_string_equal(json_string_value(json_array_get(arguments, 1)), "");
	assert_string_equal(json_string_value(json_array_get(arguments, 2)), "b");
	json_decref(event);
}

static void only_events_are_parsed(void **state)
{
	static const char *const none[] = {
		"",
		"{}",
		"[]",
		"{\"id\":0,\"event\":\"x\"}",
		"{\"id\":-1,\"event\":\"x\"}",
		"{\"id\":9007199254740992,\"event\":\"x\"}",
		"{\"id\":1}",
		"{\"id\":1,\"event\":2}",
		"{\"id\":1,\"event\":\"x\"",
		"{\"id\":1,\"event\":\"x\"} more",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_null(event_parse(none[i], strlen(none[i])));
	json_t *event = event_parse("{\"id\":1,\"event\":\"x\"}", 20);
	assert_non_null(event);
	json_decref(event);
	assert_int_equal(event_line_id("{\"id\":99999999999999999999}", 26), 0);
	assert_int_equal(event_line_id("{\"id\":", 6), 0);
	assert_int_equal(event_line_id("{\"time\":5}", 10), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finding_has_all_that_is_known),
		cmocka_unit_test(what_is_not_known_is_null),
		cmocka_unit_test(hostile_bytes_make_a_line_that_reads),
		cmocka_unit_test(empty_arguments_stay),
		cmocka_unit_test(only_events_are_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
