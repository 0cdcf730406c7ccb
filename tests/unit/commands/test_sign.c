/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "command_doubles.h"
#include "profiles/profile_json.h"
#include "profiles/signature.h"

/* Where each test works, with a pair of keys and a profile of its own. */
struct desk {
	char directory[40];
	char keys[64]; /* without an ending */
	char secret[72];
	char public[72];
	char profile[64];
	char id[KEY_ID_SIZE];
};

static int set_up(void **state)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	char example[512];
	char *bytes;
	size_t size;

	(void)strcpy(desk->directory, "/tmp/rtguard-sign-XXXXXX");
	if (!mkdtemp(desk->directory))
		return -1;
	(void)snprintf(desk->keys, sizeof(desk->keys), "%s/pair", desk->directory);
	(void)snprintf(desk->secret, sizeof(desk->secret), "%s.key", desk->keys);
	(void)snprintf(desk->public, sizeof(desk->public), "%s.pub", desk->keys);
	(void)snprintf(desk->profile, sizeof(desk->profile), "%s/profile.json", desk->directory);
	(void)snprintf(example, sizeof(example), "%s/camera.json", getenv("RTGUARD_EXAMPLES"));
	*state = desk;
	return signing_key_generate(desk->keys, desk->id, NULL) < 0 ||
	       file_read(example, PROFILE_SIZE_LIMIT, &bytes, &size, NULL) < 0 ||
	       file_replace(desk->profile, bytes, size, NULL) < 0 || (free(bytes), 0);
}

static int tear_down(void **state)
{
	struct desk *desk = *state;

	(void)unlink(desk->secret);
	(void)unlink(desk->public);
	(void)unlink(desk->profile);
	(void)rmdir(desk->directory);
	free(desk);
	return 0;
}

static int run(int (*command)(int argc, char **argv), const char *const *words)
{
	int code;

	free(output_of(command, words, &code));
	return code;
}

static struct signature_info signature_of(const char *path)
{
	struct signature_info info = {0};
	struct profile *profile;

	assert_int_equal(profile_load(path, &profile, NULL), 0);
	(void)signature_read(profile, &info, NULL);
	profile_free(profile);
	return info;
}

static void versions_count_up_by_themselves(void **state)
{
	struct desk *desk = *state;
	const char *sign[] = {"sign", desk->profile, "--key", desk->secret, NULL};
	const char *lower[] = {"sign",	    desk->profile, "--key", desk->secret,
			       "--version", "2",	   NULL};
	const char *back[] = {"sign", desk->profile, "--key", desk->secret, "--version",
			      "2",    "--back-from", "3",     NULL};

	for (uint64_t version = 1; version <= 3; version++) {
		assert_int_equal(run(command_sign, sign), EXIT_FINE);
		assert_int_equal(signature_of(desk->profile).version, version);
	}
	assert_int_equal(run(command_sign, lower), EXIT_TROUBLE);
	assert_non_null(strstr(complaint, "is version 3 already"));
	assert_int_equal(signature_of(desk->profile).version, 3);
	assert_int_equal(run(command_sign, back), EXIT_FINE);
	assert_int_equal(signature_of(desk->profile).version, 2);
	assert_int_equal(signature_of(desk->profile).back_from, 3);
}

static void an_unreadable_signature_gives_no_version(void **state)
{
	struct desk *desk = *state;
	const char *sign[] = {"sign", desk->profile, "--key", desk->secret, NULL};
	const char *said[] = {"sign", desk->profile, "--key", desk->secret, "--version", "9", NULL};
	static const char strange[] =
		"{\"format\":\"rtguard-profile/1\",\"policy\":{},\"signature\":{\"version\":8}}";

	assert_int_equal(file_replace(desk->profile, strange, strlen(strange), NULL), 0);
	assert_int_equal(run(command_sign, sign), EXIT_TROUBLE);
	assert_non_null(strstr(complaint, "--version N"));
	assert_int_equal(run(command_sign, said), EXIT_FINE);
	assert_int_equal(signature_of(desk->profile).version, 9);
}

static void verify_says_by_its_code(void **state)
{
	struct desk *desk = *state;
	const char *sign[] = {"sign", desk->profile, "--key", desk->secret, "--version", "5", NULL};
	const char *verify[] = {"verify", desk->profile, "--key", desk->public, NULL};
	const char *place[] = {"verify", desk->profile, "--key", desk->directory, NULL};
	const char *newer[] = {"verify",       desk->profile, "--key", desk->public,
			       "--newer-than", "4",	      NULL};
	const char *not_newer[] = {"verify",	   desk->profile, "--key", desk->public,
				   "--newer-than", "5",		  NULL};
	const char *no_key[] = {"verify", desk->profile, "--key", "/nonexistent.pub", NULL};
	const char *no_profile[] = {"verify", "/nonexistent.json", "--key", desk->public, NULL};
	struct profile *profile;

	assert_int_equal(run(command_verify, verify), EXIT_FINDINGS); /* not signed */
	assert_int_equal(run(command_sign, sign), EXIT_FINE);
	assert_int_equal(run(command_verify, verify), EXIT_FINE);
	assert_int_equal(run(command_verify, place), EXIT_FINE);
	assert_int_equal(run(command_verify, newer), EXIT_FINE);
	assert_int_equal(run(command_verify, not_newer), EXIT_FINDINGS);
	assert_int_equal(run(command_verify, no_key), EXIT_TROUBLE);
	assert_int_equal(run(command_verify, no_profile), EXIT_TROUBLE);

	assert_int_equal(profile_load(desk->profile, &profile, NULL), 0);
	assert_int_equal(string_list_add(&profile->network.names, "evil.example"), 0);
	assert_int_equal(profile_save(profile, desk->profile, NULL), 0);
	profile_free(profile);
	assert_int_equal(run(command_verify, verify), EXIT_FINDINGS);
}

static void going_back_is_newer_when_signed_for(void **state)
{
	struct desk *desk = *state;
	const char *sign[] = {"sign", desk->profile, "--key", desk->secret, "--version",
			      "5",    "--back-from", "7",     NULL};
	const char *held[] = {"verify",	      desk->profile, "--key", desk->public,
			      "--newer-than", "7",	     NULL};
	const char *later[] = {"verify",       desk->profile, "--key", desk->public,
			       "--newer-than", "8",	      NULL};

	assert_int_equal(run(command_sign, sign), EXIT_FINE);
	assert_int_equal(run(command_verify, held), EXIT_FINE);
	assert_int_equal(run(command_verify, later), EXIT_FINDINGS);
}

static void json_says_the_same(void **state)
{
	struct desk *desk = *state;
	const char *sign[] = {"sign", desk->profile, "--key", desk->secret, NULL};
	const char *verify[] = {"verify", desk->profile, "--key", desk->public, "--json", NULL};
	json_t *result;
	char *text;
	int code;

	text = output_of(command_verify, verify, &code);
	result = json_loads(text, 0, NULL);
	assert_true(json_is_false(json_object_get(result, "verified")));
	assert_string_equal(json_string_value(json_object_get(result, "reason")), "not signed");
	json_decref(result);
	free(text);
	assert_int_equal(run(command_sign, sign), EXIT_FINE);
	text = output_of(command_verify, verify, &code);
	result = json_loads(text, 0, NULL);
	assert_true(json_is_true(json_object_get(result, "verified")));
	assert_null(json_object_get(result, "reason"));
	assert_string_equal(json_string_value(json_object_get(result, "key_id")), desk->id);
	assert_int_equal(json_integer_value(json_object_get(result, "version")), 1);
	json_decref(result);
	free(text);
}

static const char *standing_of(struct desk *desk, const char *place, char standing[16])
{
	const char *check[] = {"check", desk->profile, "--json", "--key", place, NULL};
	json_t *result;
	char *text;
	int code;

	text = output_of(command_check, check, &code);
	assert_int_equal(code, EXIT_FINE);
	result = json_loads(text, 0, NULL);
	(void)snprintf(standing, 16, "%s",
		       json_string_value(
			       json_object_get(json_object_get(result, "signature"), "standing")));
	json_decref(result);
	free(text);
	return standing;
}

static void check_says_who_signed(void **state)
{
	struct desk *desk = *state;
	const char *sign[] = {"sign", desk->profile, "--key", desk->secret, NULL};
	const char *again[] = {"keygen", "-o", desk->keys, NULL};
	struct profile *profile;
	char standing[16];

	assert_string_equal(standing_of(desk, desk->public, standing), "missing");
	assert_int_equal(run(command_sign, sign), EXIT_FINE);
	assert_string_equal(standing_of(desk, desk->public, standing), "trusted");

	assert_int_equal(profile_load(desk->profile, &profile, NULL), 0);
	profile->device_name[0] ^= 1;
	assert_int_equal(profile_save(profile, desk->profile, NULL), 0);
	profile_free(profile);
	assert_string_equal(standing_of(desk, desk->public, standing), "broken");

	/* another pair under the same names */
	assert_int_equal(run(command_keygen, again), EXIT_TROUBLE);
	assert_int_equal(unlink(desk->secret) + unlink(desk->public), 0);
	assert_int_equal(run(command_keygen, again), EXIT_FINE);
	assert_string_equal(standing_of(desk, desk->public, standing), "unknown");
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(versions_count_up_by_themselves),
		DESK_TEST(an_unreadable_signature_gives_no_version),
		DESK_TEST(verify_says_by_its_code),
		DESK_TEST(going_back_is_newer_when_signed_for),
		DESK_TEST(json_says_the_same),
		DESK_TEST(check_says_who_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
