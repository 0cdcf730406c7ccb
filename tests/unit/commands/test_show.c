/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "command_doubles.h"
#include "profiles/profile_json.h"

static const char *example(const char *name, char path[512])
{
	(void)snprintf(path, 512, "%s/%s.json", getenv("RTGUARD_EXAMPLES"), name);
	return path;
}

/* tests/golden/show/NAME.txt; RTGUARD_GOLDEN_UPDATE=1 writes it anew. */
static void assert_golden(const char *name, const char *text)
{
	char path[512];
	char *expected;
	size_t size;

	(void)snprintf(path, sizeof(path), "%s/show/%s.txt", getenv("RTGUARD_GOLDEN"), name);
	if (getenv("RTGUARD_GOLDEN_UPDATE"))
		assert_int_equal(file_replace(path, text, strlen(text), NULL), 0);
	assert_int_equal(file_read(path, 1 << 20, &expected, &size, NULL), 0);
	assert_string_equal(text, expected);
	free(expected);
}

static void tables_are_as_they_were(void **state)
{
	static const struct {
		const char *golden;
		const char *profile;
		const char *options[4];
	} cases[] = {
		{"camera", "camera", {NULL}},
		{"camera-all", "camera", {"--all"}},
		{"camera-program", "camera", {"--program", "*/streamd"}},
		{"camera-peer", "camera", {"--peer", "ntp"}},
		{"gateway-with-bridge", "gateway-with-bridge", {NULL}},
		{"gateway-program", "gateway-with-bridge", {"--program", "busybox"}},
		{"recorded-sensor", "recorded-sensor", {NULL}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *words[8] = {"show"};
		char path[512];
		char *text;
		int code;

		words[1] = example(cases[i].profile, path);
		memcpy(words + 2, cases[i].options, sizeof(cases[i].options));
		text = output_of(command_show, words, &code);
		assert_int_equal(code, EXIT_FINE);
		assert_golden(cases[i].golden, text);
		free(text);
	}
}

static void json_is_the_filtered_profile(void **state)
{
	char path[512];
	const char *words[] = {"show", "--json", "--peer", "*.ntp.org", example("camera", path),
			       NULL};
	struct profile *profile = NULL;
	int code;
	char *text = output_of(command_show, words, &code);

	(void)state;
	assert_int_equal(code, EXIT_FINE);
	assert_int_equal(profile_parse("it", text, strlen(text), &profile, NULL), 0);
	assert_int_equal(profile->network.connection_count, 1);
	assert_string_equal(profile->network.connections[0].name, "0.pool.ntp.org");
	assert_int_equal(profile->network.names.count, 1);
	assert_int_equal(profile->program_count, 0);
	assert_int_equal(profile->network.listener_count, 0);
	profile_free(profile);
	free(text);
}

static void trouble_is_named(void **state)
{
	const char *missing[] = {"show", "/nonexistent.json", NULL};
	const char *nothing[] = {"show", NULL};
	int code;

	(void)state;
	free(output_of(command_show, missing, &code));
	assert_int_equal(code, EXIT_TROUBLE);
	assert_string_equal(complaint, "show: /nonexistent.json: No such file or directory");
	free(output_of(command_show, nothing, &code));
	assert_int_equal(code, EXIT_TROUBLE);
	assert_string_equal(complaint, "show: expected one profile");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_as_they_were),
		cmocka_unit_test(json_is_the_filtered_profile),
		cmocka_unit_test(trouble_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
