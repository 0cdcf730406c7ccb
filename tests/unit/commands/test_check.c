/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "command_doubles.h"
#include "commands/check_findings.h"
#include "profiles/profile_json.h"

static const char *example(const char *name, char path[512])
{
	(void)snprintf(path, 512, "%s/%s.json", getenv("RTGUARD_EXAMPLES"), name);
	return path;
}

/* A file that goes when the test ends. */
static void write_file(char path[32], const char *content)
{
	int fd;

	(void)strcpy(path, "/tmp/rtguard-check-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	(void)close(fd);
}

static void a_valid_profile_is_summed_up(void **state)
{
	char path[512];
	const char *words[] = {"check", example("gateway-with-bridge", path), NULL};
	const char *strict[] = {"check", "--strict", path, NULL};
	int code;
	char *text = output_of(command_check, words, &code);

	(void)state;
	assert_int_equal(code, EXIT_FINE);
	assert_non_null(strstr(text, ": valid: 1 programs, 0 scripts, 0 libraries, 1 listeners, "
				     "2 connections, 0 names, 1 bridged devices\n"));
	assert_non_null(strstr(text, "/evidence/cycles/0: incomplete cycle: it was ended early"));
	assert_non_null(strstr(text, "/signature: not signed"));
	free(text);
	free(output_of(command_check, strict, &code));
	assert_int_equal(code, EXIT_FINDINGS);
}

static void a_broken_profile_is_trouble(void **state)
{
	char path[32];
	const char *words[] = {"check", path, NULL};
	const char *json[] = {"check", "--json", path, NULL};
	char expected[128];
	json_t *result;
	json_t *error;
	char *text;
	int code;

	(void)state;
	write_file(path, "{\"format\":\"rtguard-profile/1\",\"policy\":{\"names\":[\"B\"]}}");
	free(output_of(command_check, words, &code));
	assert_int_equal(code, EXIT_TROUBLE);
	(void)snprintf(expected, sizeof(expected),
		       "check: %s: /policy/names/0: expected a lower-case host name, found \"B\"",
		       path);
	assert_string_equal(complaint, expected);
	text = output_of(command_check, json, &code);
	assert_int_equal(code, EXIT_TROUBLE);
	result = json_loads(text, 0, NULL);
	assert_true(json_is_false(json_object_get(result, "valid")));
	error = json_array_get(json_object_get(result, "errors"), 0);
	assert_string_equal(json_string_value(json_object_get(error, "path")), "/policy/names/0");
	assert_true(json_is_array(json_object_get(result, "warnings")));
	json_decref(result);
	free(text);
	(void)unlink(path);
}

static void files_that_are_none_are_trouble(void **state)
{
	static const struct {
		const char *path;
		const char *complaint;
	} cases[] = {
		{"/nonexistent.json", "check: /nonexistent.json: No such file or directory"},
		{"/tmp", "check: /tmp: Is a directory"},
		{"/dev/null", "check: /dev/null: is empty: expected a JSON document"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *words[] = {"check", cases[i].path, NULL};
		int code;

		free(output_of(command_check, words, &code));
		assert_int_equal(code, EXIT_TROUBLE);
		assert_string_equal(complaint, cases[i].complaint);
	}
}

static void note(void *context, const char *place, const char *message)
{
	char *all = context;

	(void)snprintf(all + strlen(all), 2048 - strlen(all), "%s %s\n", place, message);
}

static void findings_say_what_to_know(void **state)
{
	static const char document[] =
		"{\"format\":\"rtguard-profile/1\",\"device\":{\"architecture\":\"armv7l\"},"
		"\"policy\":{\"programs\":[{\"path\":\"/a\",\"phase\":\"boot\"}],"
		"\"listeners\":[{\"protocol\":\"tcp\",\"address\":\"any\",\"family\":[\"ipv4\"],"
		"\"port\":1,\"program\":\"/b\"}],\"connections\":["
		"{\"protocol\":\"tcp\",\"peer\":{\"domain\":\"com\"},\"port\":1,\"program\":\"/"
		"a\"},"
		"{\"protocol\":\"udp\",\"peer\":{\"role\":\"internet\"},\"port\":\"high\"},"
		"{\"protocol\":\"tcp\",\"peer\":{\"role\":\"lan\"},\"port\":1,\"program\":\"/"
		"c\"}]},"
		"\"evidence\":{\"cycles\":[{\"complete\":true}]},\"signature\":{}}";
	struct profile *profile = NULL;
	char all[2048] = "";

	(void)state;
	assert_int_equal(profile_parse("it", document, strlen(document), &profile, NULL), 0);
	check_findings(profile, "aarch64", note, all);
	assert_string_equal(
		all,
		"/device/architecture learnt on armv7l, this machine is aarch64\n"
		"/policy/programs 1 without a checksum, the first is /a; such a program is only a "
		"name\n"
		"/policy/listeners its program is not in the profile: listener tcp any 1 /b\n"
		"/policy/connections its program is not in the profile: tcp role lan 1 /c\n"
		"/policy/connections open to peers that were never seen: tcp domain com 1 /a\n"
		"/policy/connections open to peers that were never seen: udp role internet high "
		"-\n");
	all[0] = '\0';
	check_findings(profile, "armv7l", note, all);
	assert_null(strstr(all, "/device"));
	profile_free(profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_valid_profile_is_summed_up),
		cmocka_unit_test(a_broken_profile_is_trouble),
		cmocka_unit_test(files_that_are_none_are_trouble),
		cmocka_unit_test(findings_say_what_to_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
