/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "key_scene.h"
#include "profiles/profile_json.h"
#include "profiles/signature.h"
#include "profiles/version_floor.h"

struct pair {
	struct signing_key *key;
	struct verifying_keys *keys;
};

static struct pair load_pair(struct scene *scene)
{
	const char *secret = scene_file(scene, "a.key", 0600, SECRET_FILE);
	const char *public = scene_file(scene, "a.pub", 0644, PUBLIC_FILE);
	struct pair pair;

	assert_int_equal(signing_key_load(secret, &pair.key, NULL), 0);
	assert_int_equal(verifying_keys_load(&public, 1, &pair.keys, NULL), 0);
	return pair;
}

static void free_pair(struct pair *pair)
{
	signing_key_free(pair->key);
	verifying_keys_free(pair->keys);
}

static struct profile *load_example(const char *name)
{
	struct profile *profile;
	struct error error = {0};
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s.json", getenv("RTGUARD_EXAMPLES"), name);
	if (profile_load(path, &profile, &error) < 0)
		fail_msg("%s", error.message);
	return profile;
}

/* The bytes that are signed are a public interface: what was signed once holds for ever. */
static void the_example_holds(void **state)
{
	struct pair pair = load_pair(*state);
	struct profile *example = load_example("signed-sensor");
	struct profile *unsigned_one = load_example("recorded-sensor");
	struct signature_info info;

	assert_int_equal(profile_verify(example, pair.keys, &info, NULL), 0);
	assert_int_equal(info.version, 1);
	assert_int_equal(info.back_from, 0);
	assert_string_equal(info.key_id, EXAMPLE_ID);
	/* Ed25519 draws nothing: the same is signed the same */
	assert_int_equal(profile_sign(unsigned_one, pair.key, 1, 0, NULL), 0);
	assert_true(json_equal(unsigned_one->signature, example->signature));
	profile_free(example);
	profile_free(unsigned_one);
	free_pair(&pair);
}

static void what_was_signed_holds_after_reading_again(void **state)
{
	static const char *const names[] = {"camera", "gateway-with-bridge"};
	struct pair pair = load_pair(*state);

	for (size_t i = 0; i < 2; i++) {
		struct profile *profile = load_example(names[i]);
		struct profile *again;
		struct signature_info info;
		char *text;

		assert_int_equal(profile_sign(profile, pair.key, 7, 9, NULL), 0);
		assert_int_equal(profile_format(profile, &text, NULL), 0);
		assert_int_equal(profile_parse("it", text, strlen(text), &again, NULL), 0);
		assert_int_equal(profile_verify(again, pair.keys, &info, NULL), 0);
		assert_int_equal(info.version, 7);
		assert_int_equal(info.back_from, 9);
		free(text);
		profile_free(profile);
		profile_free(again);
	}
	free_pair(&pair);
}

static void set_version(struct profile *profile)
{
	assert_int_equal(json_object_set_new(profile->signature, "version", json_integer(8)), 0);
}

static void set_back_from(struct profile *profile)
{
	assert_int_equal(json_object_set_new(profile->signature, "back_from", json_integer(10)), 0);
}

static void set_value(struct profile *profile)
{
	const char *value = json_string_value(json_object_get(profile->signature, "value"));
	char *changed = strdup(value);

	changed[0] = changed[0] == 'A' ? 'B' : 'A';
	assert_int_equal(json_object_set_new(profile->signature, "value", json_string(changed)), 0);
	free(changed);
}

static void set_device(struct profile *profile)
{
	profile->device_name[0] ^= 1;
}

static void set_program(struct profile *profile)
{
	profile->programs[0].phase = PHASE_BOOT;
}

static void set_connection(struct profile *profile)
{
	profile->network.connections[0].icmp_type ^= 1;
}

static void add_name(struct profile *profile)
{
	assert_int_equal(string_list_add(&profile->network.names, "evil.example"), 0);
}

static void remove_script(struct profile *profile)
{
	free(profile->scripts[0].path);
	profile->scripts[0].path = strdup("/tmp/other");
}

static void any_change_breaks_it(void **state)
{
	static void (*const changes[])(struct profile *) = {
		set_version, set_back_from,  set_value, set_device,
		set_program, set_connection, add_name,	remove_script,
	};
	struct pair pair = load_pair(*state);

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct profile *profile = load_example("camera");
		struct signature_info info = {.version = 99};
		struct error error = {0};

		assert_int_equal(profile_sign(profile, pair.key, 7, 9, NULL), 0);
		assert_int_equal(profile_verify(profile, pair.keys, &info, NULL), 0);
		info.version = 99;
		changes[i](profile);
		if (profile_verify(profile, pair.keys, &info, &error) != -EKEYREJECTED)
			fail_msg("change %zu passed", i);
		assert_non_null(strstr(error.message, "does not hold"));
		assert_int_equal(info.version, 99);
		profile_free(profile);
	}
	free_pair(&pair);
}

static void evidence_is_not_covered(void **state)
{
	struct pair pair = load_pair(*state);
	struct profile *profile = load_example("camera");
	struct signature_info info;

	assert_int_equal(profile_sign(profile, pair.key, 1, 0, NULL), 0);
	assert_int_equal(json_object_clear(profile->evidence), 0);
	assert_int_equal(profile_verify(profile, pair.keys, &info, NULL), 0);
	profile_free(profile);
	free_pair(&pair);
}

static void strangers_are_not_trusted(void **state)
{
	struct scene *scene = *state;
	struct pair pair = load_pair(scene);
	struct profile *profile = load_example("camera");
	const char *other = scene_path(scene, "b.pub");
	struct verifying_keys *nobody;
	struct verifying_keys *others;
	struct signature_info info;
	struct error error = {0};
	char name[64];
	char id[KEY_ID_SIZE];

	(void)scene_path(scene, "b.key");
	(void)snprintf(name, sizeof(name), "%s/b", scene->directory);
	assert_int_equal(signing_key_generate(name, id, NULL), 0);
	assert_int_equal(verifying_keys_load(&other, 1, &others, NULL), 0);
	assert_int_equal(verifying_keys_load(NULL, 0, &nobody, NULL), 0);

	assert_int_equal(profile_verify(profile, pair.keys, &info, &error), -ENOKEY);
	assert_string_equal(error.message, "not signed");
	assert_int_equal(profile_sign(profile, pair.key, 1, 0, NULL), 0);
	assert_int_equal(profile_verify(profile, nobody, &info, &error), -ENOKEY);
	assert_int_equal(profile_verify(profile, others, &info, &error), -ENOKEY);
	assert_non_null(strstr(error.message, EXAMPLE_ID ", which is not trusted here"));
	/* nor does it help to claim another's key */
	assert_int_equal(json_object_set_new(profile->signature, "key_id", json_string(id)), 0);
	assert_int_equal(profile_verify(profile, others, &info, &error), -EKEYREJECTED);
	verifying_keys_free(nobody);
	verifying_keys_free(others);
	profile_free(profile);
	free_pair(&pair);
}

static void what_is_no_signature_is_told_why(void **state)
{
	static const struct {
		const char *changes; /* merged into a good one */
		const char *message;
	} cases[] = {
		{"{\"algorithm\": \"rsa\"}", "/signature/algorithm: expected \"ed25519\""},
		{"{\"algorithm\": null}", "/signature/algorithm"},
		{"{\"key_id\": \"21FE31DFA154A261\"}", "/signature/key_id"},
		{"{\"key_id\": \"21fe31dfa154a26\"}", "/signature/key_id"},
		{"{\"key_id\": \"21fe31dfa154a2611\"}", "/signature/key_id"},
		{"{\"key_id\": 21}", "/signature/key_id"},
		{"{\"version\": 0}", "/signature/version"},
		{"{\"version\": -1}", "/signature/version"},
		{"{\"version\": 1.0}", "/signature/version"},
		{"{\"version\": \"1\"}", "/signature/version"},
		{"{\"version\": 9007199254740992}", "/signature/version"},
		{"{\"back_from\": -1}", "/signature/back_from"},
		{"{\"back_from\": null}", "/signature/back_from"},
		{"{\"value\": \"\"}", "/signature/value: expected 64 bytes in base64"},
		{"{\"value\": null}", "/signature/value"},
		{"{\"value\": "
		 "\"/wwlX+N8eq1lMaSvdH+gLsU6KWbBdQMvwzlPA7uOZY93j/JUkKZrwWNGY8Iak+RStjiT1wT"
		 "eshFhBITEcMPn\"}",
		 "/signature/value"}, /* cut */
		{"{\"value\": "
		 "\"/wwlX+N8eq1lMaSvdH+gLsU6KWbBdQMvwzlPA7uOZY93j/JUkKZrwWNGY8Iak+RStjiT1wT"
		 "eshFhBITEcMPnDB==\"}",
		 "/signature/value"}, /* bits beyond the last byte */
		{"{\"value\": "
		 "\"/wwlX+N8eq1lMaSvdH+gLsU6KWbBdQMvwzlPA7uOZY93j/JUkKZrwWNGY8Iak+RStjiT1wT"
		 "eshFhBITEcMPnDA== \"}",
		 "/signature/value"},
		{"{\"expires\": 5}", "/signature: has keys that no signature has"},
	};
	struct pair pair = load_pair(*state);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct profile *profile = load_example("signed-sensor");
		json_t *changes = json_loads(cases[i].changes, 0, NULL);
		struct signature_info info;
		struct error error = {0};

		assert_non_null(changes);
		assert_int_equal(json_object_update(profile->signature, changes), 0);
		assert_int_equal(profile_verify(profile, pair.keys, &info, &error), -EBADMSG);
		assert_int_equal(signature_read(profile, &info, NULL), -EBADMSG);
		if (!strstr(error.message, cases[i].message))
			fail_msg("case %zu: %s", i, error.message);
		json_decref(changes);
		profile_free(profile);
	}
	free_pair(&pair);
}

/* S and S + L are one number to a careless verifier (RFC 8032 section 5.1.7). */
static void the_other_writing_of_a_number_is_refused(void **state)
{
	static const char malleable[] =
		"/wwlX+N8eq1lMaSvdH+gLsU6KWbBdQMvwzlPA7uOZY9kY+ixqgl+GTrjWmX5jMNntjiT1wTeshFhBITE"
		"cMPnHA==";
	struct pair pair = load_pair(*state);
	struct profile *profile = load_example("signed-sensor");
	struct signature_info info;

	assert_int_equal(json_object_set_new(profile->signature, "value", json_string(malleable)),
			 0);
	assert_int_equal(profile_verify(profile, pair.keys, &info, NULL), -EKEYREJECTED);
	profile_free(profile);
	free_pair(&pair);
}

static void versions_have_bounds(void **state)
{
	struct pair pair = load_pair(*state);
	struct profile *profile = load_example("camera");

	assert_int_equal(profile_sign(profile, pair.key, 0, 0, NULL), -EINVAL);
	assert_int_equal(profile_sign(profile, pair.key, VERSION_LIMIT + 1, 0, NULL), -EINVAL);
	assert_int_equal(profile_sign(profile, pair.key, 3, VERSION_LIMIT + 1, NULL), -EINVAL);
	assert_int_equal(profile_sign(profile, pair.key, 3, 3, NULL), -EINVAL);
	assert_int_equal(profile_sign(profile, pair.key, 3, 2, NULL), -EINVAL);
	assert_null(profile->signature);
	assert_int_equal(profile_sign(profile, pair.key, VERSION_LIMIT, 0, NULL), 0);
	profile_free(profile);
	free_pair(&pair);
}

static void only_forward_unless_signed_for_it(void **state)
{
	static const struct {
		uint64_t version, back_from, held;
		int expected;
	} cases[] = {
		{1, 0, 0, 0},	    {5, 0, 5, 0}, {6, 0, 5, 0}, {4, 0, 5, -ESTALE},
		{3, 4, 5, -ESTALE}, {3, 5, 5, 0}, {3, 6, 5, 0}, {3, 5, 6, -ESTALE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct signature_info info = {cases[i].version, cases[i].back_from, EXAMPLE_ID};
		struct error error = {0};

		assert_int_equal(signature_check_version(&info, cases[i].held, &error),
				 cases[i].expected);
		assert_true(!error.code || strstr(error.message, "--back-from"));
	}
}

static void the_floor_only_rises(void **state)
{
	struct scene *scene = *state;
	const char *path = scene_path(scene, "floor");
	uint64_t version = 99;
	char *text;
	size_t size;

	assert_int_equal(version_floor_read(path, &version, NULL), 0);
	assert_int_equal(version, 0);
	assert_int_equal(version_floor_raise(path, 5, NULL), 0);
	assert_int_equal(version_floor_raise(path, 3, NULL), 0);
	assert_int_equal(version_floor_read(path, &version, NULL), 0);
	assert_int_equal(version, 5);
	assert_int_equal(version_floor_raise(path, VERSION_LIMIT, NULL), 0);
	assert_int_equal(file_read(path, 100, &text, &size, NULL), 0);
	assert_string_equal(text, "9007199254740991\n");
	free(text);
}

static void a_floor_that_cannot_be_read_is_no_floor_of_zero(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} broken[] = {{"", 0},
		      {"\n", 1},
		      {"5", 1},
		      {"5\n\n", 3},
		      {"-5\n", 3},
		      {"5 \n", 3},
		      {"5\0x\n", 4},
		      {"9007199254740992\n", 17},
		      {"00000000000000000000000000000000000005\n", 39}};
	struct scene *scene = *state;
	const char *path = scene_path(scene, "floor");

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		uint64_t version = 99;
		struct error error = {0};

		scene_put(path, 0600, broken[i].bytes, broken[i].size);
		if (version_floor_read(path, &version, &error) != -EBADMSG)
			fail_msg("floor %zu", i);
		assert_int_equal(version, 99);
		assert_non_null(strstr(error.message, "holds no version"));
		assert_int_equal(version_floor_raise(path, 7, NULL), -EBADMSG);
	}
	assert_int_equal(version_floor_read(scene->directory, &(uint64_t){0}, NULL), -EISDIR);
}

static void the_floor_makes_its_directory(void **state)
{
	struct scene *scene = *state;
	char path[80];
	uint64_t version;

	(void)snprintf(path, sizeof(path), "%s/deeper/floor", scene->directory);
	assert_int_equal(version_floor_raise(path, 2, NULL), 0);
	assert_int_equal(version_floor_read(path, &version, NULL), 0);
	assert_int_equal(version, 2);
	assert_int_equal(unlink(path), 0);
	*strrchr(path, '/') = '\0';
	assert_int_equal(rmdir(path), 0);
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(the_example_holds),
		SCENE_TEST(what_was_signed_holds_after_reading_again),
		SCENE_TEST(any_change_breaks_it),
		SCENE_TEST(evidence_is_not_covered),
		SCENE_TEST(strangers_are_not_trusted),
		SCENE_TEST(what_is_no_signature_is_told_why),
		SCENE_TEST(the_other_writing_of_a_number_is_refused),
		SCENE_TEST(versions_have_bounds),
		SCENE_TEST(only_forward_unless_signed_for_it),
		SCENE_TEST(the_floor_only_rises),
		SCENE_TEST(a_floor_that_cannot_be_read_is_no_floor_of_zero),
		SCENE_TEST(the_floor_makes_its_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
