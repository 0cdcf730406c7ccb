/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "key_scene.h"
#include "profiles/signature.h"

static mode_t mode_of(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_mode & 07777;
}

static void a_pair_is_made_once(void **state)
{
	struct scene *scene = *state;
	const char *secret = scene_path(scene, "new.key");
	const char *public = scene_path(scene, "new.pub");
	struct verifying_keys *keys;
	struct signing_key *key;
	struct error error = {0};
	char name[64];
	char id[KEY_ID_SIZE];
	char *before;
	char *after;
	mode_t mask = umask(0);
	size_t size;

	(void)snprintf(name, sizeof(name), "%s/new", scene->directory);
	assert_int_equal(signing_key_generate(name, id, &error), 0);
	(void)umask(mask);
	assert_int_equal(strspn(id, "0123456789abcdef"), KEY_ID_SIZE - 1);
	assert_int_equal(mode_of(secret), 0600);
	assert_int_equal(mode_of(public), 0644);
	assert_int_equal(signing_key_load(secret, &key, &error), 0);
	assert_int_equal(verifying_keys_load(&public, 1, &keys, &error), 0);
	signing_key_free(key);
	verifying_keys_free(keys);

	/* neither file is ever replaced, and nothing half is left */
	assert_int_equal(file_read(public, 1000, &before, &size, NULL), 0);
	assert_int_equal(signing_key_generate(name, id, &error), -EEXIST);
	assert_non_null(strstr(error.message, "new.key: is there already"));
	assert_int_equal(unlink(secret), 0);
	assert_int_equal(signing_key_generate(name, id, &error), -EEXIST);
	assert_non_null(strstr(error.message, "new.pub: is there already"));
	assert_int_equal(access(secret, F_OK), -1);
	assert_int_equal(file_read(public, 1000, &after, &size, NULL), 0);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* Each is one change to a good file. */
static const struct {
	const char *content;
	const char *message; /* for either kind; %s: SECRET or PUBLIC in front of "-key" */
} broken[] = {
	{"", "line 1 does not begin with"},
	{"\n", "line 1 does not begin with"},
	{"-----BEGIN PRIVATE KEY-----\n", "line 1 does not begin with"},
	{"rtguard-%s-key/2 ed25519 " EXAMPLE_ID "\n@\n", "line 1 does not begin with"},
	{"rtguard-%s-key/1 ed25519 ", "line 1: expected an id"},
	{"rtguard-%s-key/1 ed25519 " EXAMPLE_ID, "line 1: expected an id"},
	{"rtguard-%s-key/1 ed25519 " EXAMPLE_ID " \n@\n", "line 1: expected an id"},
	{"rtguard-%s-key/1 ed25519 21FE31DFA154A261\n@\n", "line 1: expected an id"},
	{"rtguard-%s-key/1 ed25519 21fe31dfa154a26\n@\n", "line 1: expected an id"},
	{"rtguard-%s-key/1 ed25519 " EXAMPLE_ID "\n", "line 2: the key has 0 characters"},
	{"rtguard-%s-key/1 ed25519 " EXAMPLE_ID "\n\n", "line 2: the key has 0 characters"},
	{"rtguard-%s-key/1 ed25519 " EXAMPLE_ID "\n11qYAYKxCrfVS/7TyWQHOg==\n",
	 "line 2: the key has 24 characters instead of 44"},
	{"rtguard-%s-key/1 ed25519 " EXAMPLE_ID "\n@ \n", "line 2: the key has 45 characters"},
	{"rtguard-%s-key/1 ed25519 " EXAMPLE_ID "\n@\r\n", "line 2: the key has 45 characters"},
	{"rtguard-%s-key/1 ed25519 " EXAMPLE_ID "\n11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHUR==\n",
	 "line 2: the key is not in base64"},
	{"rtguard-%s-key/1 ed25519 " EXAMPLE_ID "\n11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURp=\n",
	 "line 2: the key is not in base64"}, /* bits beyond the last byte */
	{"rtguard-%s-key/1 ed25519 " EXAMPLE_ID "\n11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n",
	 "line 2: the key is not in base64"},
	{"rtguard-%s-key/1 ed25519 " EXAMPLE_ID "\n@\n\n", "line 3: nothing may follow"},
	{"rtguard-%s-key/1 ed25519 " EXAMPLE_ID "\n@\n@\n", "line 3: nothing may follow"},
	{"rtguard-%s-key/1 ed25519 21fe31dfa154a262\n@\n", "is not the one of line 1"},
	{"rtguard-%s-key/1 ed25519 " EXAMPLE_ID "\n11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURs=\n",
	 "is not the one of line 1"},
};

/* Puts the kind in for %s and the key in for '@'. */
static void expand(const char *content, const char *kind, const char *key, char text[512])
{
	size_t length = 0;

	for (; *content; content++) {
		if (content[0] == '%' && content[1] == 's')
			content++;
		length += (size_t)snprintf(text + length, 512 - length, "%.*s",
					   *content == 's' && content[-1] == '%' ? 9
					   : *content == '@'			 ? 99
										 : 1,
					   *content == 's' && content[-1] == '%' ? kind
					   : *content == '@'			 ? key
										 : content);
	}
	text[length] = '\0';
}

static void broken_files_are_told_why(void **state)
{
	struct scene *scene = *state;
	const char *secret = scene_path(scene, "b.key");
	const char *public = scene_path(scene, "b.pub");

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct verifying_keys *keys = NULL;
		struct signing_key *key = NULL;
		struct error error = {0};
		char text[512];

		expand(broken[i].content, "secret", EXAMPLE_SECRET, text);
		scene_put(secret, 0600, text, strlen(text));
		assert_int_equal(signing_key_load(secret, &key, &error), -EBADMSG);
		assert_null(key);
		if (!strstr(error.message, broken[i].message))
			fail_msg("secret %zu: %s", i, error.message);
		expand(broken[i].content, "public", EXAMPLE_PUBLIC, text);
		scene_put(public, 0644, text, strlen(text));
		assert_int_equal(verifying_keys_load(&public, 1, &keys, &error), -EBADMSG);
		assert_null(keys);
		if (!strstr(error.message, broken[i].message))
			fail_msg("public %zu: %s", i, error.message);
	}
}

/* Every shorter file, and every file with one byte changed, is refused. */
static void no_part_and_no_change_passes(void **state)
{
	struct scene *scene = *state;
	const char *public = scene_path(scene, "c.pub");
	size_t whole = strlen(PUBLIC_FILE);
	struct verifying_keys *keys;
	char text[] = PUBLIC_FILE;

	for (size_t size = 0; size + 1 < whole; size++) {
		scene_put(public, 0644, text, size);
		assert_int_equal(verifying_keys_load(&public, 1, &keys, NULL), -EBADMSG);
	}
	for (size_t i = 0; i + 1 < whole; i++) {
		text[i] ^= 1;
		scene_put(public, 0644, text, whole);
		assert_int_equal(verifying_keys_load(&public, 1, &keys, NULL), -EBADMSG);
		text[i] = '\0';
		scene_put(public, 0644, text, whole);
		assert_int_equal(verifying_keys_load(&public, 1, &keys, NULL), -EBADMSG);
		text[i] = PUBLIC_FILE[i];
	}
	/* the last newline may be missing */
	scene_put(public, 0644, text, whole - 1);
	assert_int_equal(verifying_keys_load(&public, 1, &keys, NULL), 0);
	verifying_keys_free(keys);
}

static void the_other_half_is_told_apart(void **state)
{
	struct scene *scene = *state;
	const char *secret = scene_file(scene, "a.key", 0600, SECRET_FILE);
	const char *public = scene_file(scene, "a.pub", 0644, PUBLIC_FILE);
	struct verifying_keys *keys;
	struct signing_key *key;
	struct error error = {0};

	assert_int_equal(signing_key_load(public, &key, &error), -EBADMSG);
	assert_non_null(strstr(error.message, "is a public key; expected the secret key"));
	assert_int_equal(verifying_keys_load(&secret, 1, &keys, &error), -EBADMSG);
	assert_non_null(strstr(error.message, "is a secret key; expected the public key"));
}

static void files_open_to_others_are_refused(void **state)
{
	static const mode_t secret_modes[] = {0640, 0604, 0620, 0602, 0610, 0777};
	static const mode_t public_modes[] = {0664, 0646, 0666};
	struct scene *scene = *state;
	const char *secret = scene_file(scene, "a.key", 0600, SECRET_FILE);
	const char *public = scene_file(scene, "a.pub", 0644, PUBLIC_FILE);
	const char *directory = scene->directory;
	struct verifying_keys *keys;
	struct signing_key *key;
	struct error error = {0};

	for (size_t i = 0; i < sizeof(secret_modes) / sizeof(secret_modes[0]); i++) {
		assert_int_equal(chmod(secret, secret_modes[i]), 0);
		assert_int_equal(signing_key_load(secret, &key, &error), -EPERM);
		assert_non_null(strstr(error.message, "chmod 600"));
	}
	assert_int_equal(chmod(secret, 0400), 0);
	assert_int_equal(signing_key_load(secret, &key, &error), 0);
	signing_key_free(key);
	for (size_t i = 0; i < sizeof(public_modes) / sizeof(public_modes[0]); i++) {
		assert_int_equal(chmod(public, public_modes[i]), 0);
		assert_int_equal(verifying_keys_load(&public, 1, &keys, &error), -EPERM);
		assert_int_equal(verifying_keys_load(&directory, 1, &keys, &error), -EPERM);
		assert_non_null(strstr(error.message, "chmod go-w"));
	}
	assert_int_equal(chmod(public, 0644), 0);
	assert_int_equal(chmod(directory, 0777), 0);
	assert_int_equal(verifying_keys_load(&directory, 1, &keys, &error), -EPERM);
	assert_int_equal(chmod(directory, 0755), 0);
	assert_int_equal(verifying_keys_load(&directory, 1, &keys, &error), 0);
	verifying_keys_free(keys);
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(public, 1, 1), 0);
	assert_int_equal(verifying_keys_load(&public, 1, &keys, &error), -EPERM);
	assert_non_null(strstr(error.message, "belongs to user 1"));
}

static void a_directory_has_its_keys(void **state)
{
	struct scene *scene = *state;
	const char *places[2] = {scene->directory, NULL};
	struct verifying_keys *keys;
	struct error error = {0};

	assert_int_equal(verifying_keys_load(places, 1, &keys, &error), -ENOKEY);
	assert_non_null(strstr(error.message, "holds no file NAME.pub"));
	(void)scene_file(scene, "readme", 0644, "not a key");
	(void)scene_file(scene, ".hidden.pub", 0644, "not a key");
	assert_int_equal(verifying_keys_load(places, 1, &keys, &error), -ENOKEY);
	places[1] = scene_file(scene, "a.pub", 0644, PUBLIC_FILE);
	assert_int_equal(verifying_keys_load(places, 1, &keys, &error), 0);
	verifying_keys_free(keys);
	/* the file itself, named again, is no second one */
	assert_int_equal(verifying_keys_load(places, 2, &keys, &error), 0);
	verifying_keys_free(keys);
	(void)scene_file(scene, "copy.pub", 0644, PUBLIC_FILE);
	assert_int_equal(verifying_keys_load(places, 1, &keys, &error), -EEXIST);
	assert_non_null(strstr(error.message, "holds the same key as"));
	(void)scene_file(scene, "copy.pub", 0644, "something else");
	assert_int_equal(verifying_keys_load(places, 1, &keys, &error), -EBADMSG);
}

static void what_is_no_file_is_refused(void **state)
{
	struct scene *scene = *state;
	const char *missing = scene_path(scene, "missing.pub");
	const char *fifo = scene_path(scene, "fifo.pub");
	struct verifying_keys *keys;
	struct signing_key *key;

	assert_int_equal(verifying_keys_load(&missing, 1, &keys, NULL), -ENOENT);
	assert_int_equal(signing_key_load(missing, &key, NULL), -ENOENT);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(verifying_keys_load(&fifo, 1, &keys, NULL), -EBADMSG);
	assert_int_equal(signing_key_load(fifo, &key, NULL), -EBADMSG);
	assert_int_equal(signing_key_load(scene->directory, &key, NULL), -EBADMSG);
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_pair_is_made_once),
		SCENE_TEST(broken_files_are_told_why),
		SCENE_TEST(no_part_and_no_change_passes),
		SCENE_TEST(the_other_half_is_told_apart),
		SCENE_TEST(files_open_to_others_are_refused),
		SCENE_TEST(a_directory_has_its_keys),
		SCENE_TEST(what_is_no_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
