/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_POLICY_SCENE_H
#define TESTS_POLICY_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "enforce/program_policy.h"
#include "profiles/profile_json.h"

/* A compiled policy from the three lists of a profile, as JSON without their brackets. Checksums
 * are named by a letter: SHA("a") is 64 times that. */
struct scene {
	void *block;
	size_t size;
	const struct program_policy *policy;
};

#define X4(s)  s s s s
#define SHA(s) X4(X4(X4(s)))

static inline void sha_bytes(char letter, uint8_t bytes[32])
{
	int digit = letter <= '9' ? letter - '0' : letter - 'a' + 10;

	memset(bytes, digit << 4 | digit, 32);
}

static inline struct scene scene_open(const char *programs, const char *scripts,
				      const char *libraries, const struct own_content *own)
{
	struct error error = {0};
	struct profile *profile;
	struct scene scene;
	char *text = NULL;

	assert_true(asprintf(&text,
			     "{\"format\": \"rtguard-profile/1\", \"policy\": {\"programs\": [%s], "
			     "\"scripts\": [%s], \"libraries\": [%s]}}",
			     programs, scripts, libraries) > 0);
	if (profile_parse("scene", text, strlen(text), &profile, &error) < 0)
		fail_msg("%s", error.message);
	free(text);
	assert_int_equal(program_policy_compile(profile, own, &scene.block, &scene.size, &error),
			 0);
	profile_free(profile);
	assert_int_equal(program_policy_open(scene.block, scene.size, &scene.policy), 0);
	return scene;
}

static inline void scene_close(struct scene *scene)
{
	free(scene->block);
}

static inline struct content scene_find(const struct scene *scene, char letter)
{
	uint8_t bytes[32];

	sha_bytes(letter, bytes);
	return program_policy_find(scene->policy, bytes);
}

/* Words separated by blanks, as an argument vector; "_" is an empty word. */
static inline struct arguments scene_split(const char *words)
{
	struct arguments arguments;
	char bytes[512];
	size_t size = 0;

	for (; *words; words++)
		if (*words != '_')
			bytes[size++] = (char)(*words == ' ' ? '\0' : *words);
	bytes[size++] = '\0';
	assert_int_equal(arguments_parse(bytes, size, &arguments), 0);
	return arguments;
}

#define PROGRAM(path, sha, rest)                                                                   \
	"{\"path\": \"" path "\", \"sha256\": \"" SHA(sha) "\", \"phase\": \"steady\", " rest "}"
#define SCRIPT(path, sha, interpreter)                                                             \
	"{\"path\": \"" path "\", \"sha256\": \"" SHA(sha) "\", \"interpreter\": " interpreter "}"
#define LIBRARY(path, sha) "{\"path\": \"" path "\", \"sha256\": \"" SHA(sha) "\"}"
#define ANY		   "\"arguments\": \"any\""

#endif
