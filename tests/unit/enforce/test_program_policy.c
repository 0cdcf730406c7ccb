/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy_scene.h"

#include <errno.h>

#include "base/cleanup.h"

static void content_by_checksum(void **state)
{
	struct scene scene = scene_open(
		PROGRAM("/bin/one", "1", ANY) ", " PROGRAM("/bin/two", "2", ANY),
		SCRIPT("/bin/three", "3", "null") ", " SCRIPT("/bin/one.sh", "1", "null"),
		LIBRARY("/lib/four.so", "4") ", " LIBRARY("/bin/one", "1"), NULL);
	struct program_policy_counts counts = program_policy_counts(scene.policy);
	uint8_t near[32];

	(void)state;
	assert_int_equal(scene_find(&scene, '1').uses,
			 CONTENT_PROGRAM | CONTENT_LIBRARY | CONTENT_SCRIPT);
	assert_int_equal(scene_find(&scene, '2').uses, CONTENT_PROGRAM);
	assert_int_equal(scene_find(&scene, '3').uses, CONTENT_SCRIPT);
	assert_int_equal(scene_find(&scene, '4').uses, CONTENT_LIBRARY);
	assert_int_equal(scene_find(&scene, '5').uses, 0);
	sha_bytes('1', near); /* lands in the slot of another */
	near[31] ^= 1;
	assert_int_equal(program_policy_find(scene.policy, near).uses, 0);
	assert_string_equal(program_policy_path(scene.policy, scene_find(&scene, '2').program),
			    "/bin/two");
	assert_string_equal(program_policy_path(scene.policy, 2), "");
	assert_int_equal(counts.programs, 2);
	assert_int_equal(counts.pinned, 0);
	assert_int_equal(counts.scripts, 2);
	assert_int_equal(counts.libraries, 2);
	scene_close(&scene);
}

static void content_that_could_not_be_read(void **state)
{
	struct scene scene =
		scene_open("{\"path\": \"/bin/x\", \"sha256\": null, \"phase\": \"boot\", " ANY "}",
			   "{\"path\": \"/bin/y\", \"sha256\": null, \"interpreter\": null}",
			   "{\"path\": \"/lib/z\", \"sha256\": null}", NULL);
	static const uint8_t zeros[32];

	(void)state;
	assert_int_equal(program_policy_find(scene.policy, zeros).uses, 0);
	assert_int_equal(program_policy_counts(scene.policy).programs, 0);
	assert_true(program_policy_has_path(scene.policy, "/bin/x"));
	assert_true(program_policy_has_path(scene.policy, "/bin/y"));
	assert_true(program_policy_has_path(scene.policy, "/lib/z"));
	scene_close(&scene);
}

static void paths(void **state)
{
	struct scene scene = scene_open(PROGRAM("/bin/one", "1",
						"\"users\": [\"root\"], \"parents\": [\"/bin/p\"], "
						"\"arguments\": \"any\""),
					SCRIPT("/bin/s", "2", "\"/bin/sh\""), "", NULL);

	(void)state;
	assert_true(program_policy_has_path(scene.policy, "/bin/one"));
	assert_true(program_policy_has_path(scene.policy, "/bin/s"));
	/* parents, interpreters and users are no entries of theirs */
	assert_false(program_policy_has_path(scene.policy, "/bin/p"));
	assert_false(program_policy_has_path(scene.policy, "/bin/sh"));
	assert_false(program_policy_has_path(scene.policy, "root"));
	assert_false(program_policy_has_path(scene.policy, ""));
	scene_close(&scene);
}

/* Which of many are found does not depend on how many there are. */
static void many(void **state)
{
	struct profile *profile = profile_new();
	const struct program_policy *policy;
	struct error error = {0};
	uint8_t sha256[32] = {0};
	void *block;
	size_t size;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct profile_library *library = profile_add_library(profile);

		assert_true(asprintf(&library->path, "/lib/%d", i) > 0);
		/* the bytes that choose the slot are alike */
		assert_true(asprintf(&library->sha256, "%056d%08d", i % 100, i) > 0);
	}
	assert_int_equal(program_policy_compile(profile, NULL, &block, &size, &error), 0);
	assert_int_equal(program_policy_open(block, size, &policy), 0);
	assert_int_equal(program_policy_counts(policy).libraries, 20000);
	sha256[31] = 0x42;
	assert_int_equal(program_policy_find(policy, sha256).uses, 0);
	sha256[27] = 0x42;
	assert_int_equal(program_policy_find(policy, sha256).uses, CONTENT_LIBRARY);
	assert_true(program_policy_has_path(policy, "/lib/19999"));
	assert_false(program_policy_has_path(policy, "/lib/20000"));
	free(block);
	profile_free(profile);
}

static void reads(void **state)
{
	struct scene scene = scene_open(
		PROGRAM("/usr/bin/python3.11", "1",
			"\"arguments\": [[]], \"reads\": [\"/etc/app/\", \"/etc/hosts\", "
			"\"/etc/app.conf\"]") ", " PROGRAM("/usr/bin/perl", "2",
							   "\"arguments\": [[]]") ","
										  " " PROGRAM(
											  "/usr/"
											  "bin/lua",
											  "3",
											  "\"argume"
											  "nts\": "
											  "[[]], "
											  "\"reads"
											  "\": []") ", " PROGRAM("/opt/lua",
														 "3",
														 "\"arguments\": [[]], \"reads\": [\"/x\"]"),
		"", "", NULL);
	uint32_t python = scene_find(&scene, '1').program;
	uint32_t perl = scene_find(&scene, '2').program;
	uint32_t lua = scene_find(&scene, '3').program;
	static const struct {
		const char *path;
		bool permitted;
	} cases[] = {
		{"/etc/hosts", true},	 {"/etc/hosts2", false}, {"/etc/host", false},
		{"/etc/app/a", true},	 {"/etc/app/", false},	 {"/etc/app/a/b", false},
		{"/etc/app.conf", true}, {"/etc/ap/a", false},	 {"/etc/appx/a", false},
		{"/in-the-root", false}, {"/etc/x", false},	 {"", false},
		{"hosts", false},	 {"/", false},
	};

	(void)state;
	for (size_t i = 0; i < array_length(cases); i++)
		if (program_policy_permits_read(scene.policy, python, cases[i].path) !=
		    cases[i].permitted)
			fail_msg("%s", cases[i].path);
	assert_true(program_policy_permits_read(scene.policy, perl, "/any"));
	assert_false(program_policy_permits_read(scene.policy, lua, "/any"));
	assert_true(program_policy_permits_read(scene.policy, lua, "/x"));
	assert_false(program_policy_permits_read(scene.policy, 99, "/x"));
	scene_close(&scene);
}

static void users(void **state)
{
	struct scene scene =
		scene_open(PROGRAM("/bin/su", "1", "\"users\": [\"root\"], " ANY) ", " PROGRAM(
				   "/opt/su", "1", "\"users\": [\"guest\", \"1000\"], " ANY),
			   "", "", NULL);
	uint32_t su = scene_find(&scene, '1').program;

	(void)state;
	assert_true(program_policy_permits_user(scene.policy, su, "/bin/su", "root"));
	assert_true(program_policy_permits_user(scene.policy, su, "/opt/su", "1000"));
	/* a copy elsewhere, or another entry's user */
	assert_false(program_policy_permits_user(scene.policy, su, "/tmp/su", "root"));
	assert_false(program_policy_permits_user(scene.policy, su, "/opt/su", "root"));
	assert_false(program_policy_permits_user(scene.policy, su, "/bin/su", "roo"));
	assert_false(program_policy_permits_user(scene.policy, su, "", "root"));
	assert_false(program_policy_permits_user(scene.policy, 7, "/bin/su", "root"));
	scene_close(&scene);
}

static void own_content(void **state)
{
	uint8_t sha256[2][32];
	const uint32_t uses[] = {CONTENT_PROGRAM, CONTENT_LIBRARY | CONTENT_PINNED};
	const struct own_content own = {(const uint8_t(*)[32])sha256, uses, 2};
	struct scene scene;

	(void)state;
	sha_bytes('a', sha256[0]);
	sha_bytes('b', sha256[1]);
	scene = scene_open(PROGRAM("/bin/sh", "1", "\"arguments\": [[]]"), "", "", &own);
	assert_int_equal(scene_find(&scene, 'a').uses, CONTENT_PROGRAM);
	assert_int_equal(scene_find(&scene, 'b').uses, CONTENT_LIBRARY);
	assert_int_equal(scene_find(&scene, '1').uses, CONTENT_PROGRAM | CONTENT_PINNED);
	assert_int_equal(program_policy_counts(scene.policy).programs, 1);
	assert_int_equal(program_policy_counts(scene.policy).pinned, 1);
	assert_string_equal(program_policy_path(scene.policy, scene_find(&scene, 'a').program), "");
	scene_close(&scene);
}

static void damaged_blocks(void **state)
{
	struct scene scene = scene_open(PROGRAM("/bin/sh", "1", "\"arguments\": [[\"-c\"]]"),
					SCRIPT("/s", "2", "\"/bin/sh\""), LIBRARY("/l", "3"), NULL);
	const struct program_policy *policy;
	char *copy = malloc(scene.size + 8);
	uint32_t large = 0x7fffffff;
	size_t refused = 0;

	(void)state;
	memcpy(copy, scene.block, scene.size);
	assert_int_equal(program_policy_open(copy, scene.size, &policy), 0);
	for (size_t size = 0; size < scene.size; size++)
		assert_int_equal(program_policy_open(copy, size, &policy), -EBADMSG);
	memmove(copy + 4, copy, scene.size); /* not where a block may lie */
	assert_int_equal(program_policy_open(copy + 4, scene.size, &policy), -EBADMSG);
	for (size_t at = 0; at + 4 <= scene.size; at += 4) {
		memcpy(copy, scene.block, scene.size);
		memcpy(copy + at, &large, sizeof(large));
		refused += program_policy_open(copy, scene.size, &policy) == -EBADMSG;
	}
	/* every number that leads somewhere; checksums, text, flags and counts for people do not */
	assert_int_equal(refused, 73);
	free(copy);
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_by_checksum),
		cmocka_unit_test(content_that_could_not_be_read),
		cmocka_unit_test(paths),
		cmocka_unit_test(many),
		cmocka_unit_test(reads),
		cmocka_unit_test(users),
		cmocka_unit_test(own_content),
		cmocka_unit_test(damaged_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
