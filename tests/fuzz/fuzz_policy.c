/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "enforce/program_policy.h"
#include "profiles/profile_json.h"

/* Whatever a block holds, once it was opened no question about it leaves it. */

#define X16(s) s s s s s s s s s s s s s s s s
#define SHA(s) X16(s) X16(s) X16(s) X16(s)

static const char profile_text[] =
	"{\"format\": \"rtguard-profile/1\", \"policy\": {\"programs\": ["
	"{\"path\": \"/bin/busybox\", \"sha256\": \"" SHA(
		"1") "\", \"phase\": \"boot\","
		     " \"users\": [\"root\"], \"arguments\": [[\"sh\", \"-e\", \"/opt/app\"], "
		     "[\"ls\"]]},"
		     "{\"path\": \"/usr/bin/python3\", \"sha256\": \"" SHA(
			     "2") "\", \"phase\": \"boot\","
				  " \"arguments\": [[\"-u\", \"/opt/app\"]], \"reads\": "
				  "[\"/etc/app/\", \"/etc/hosts\"]},"
				  "{\"path\": \"/bin/one\", \"sha256\": \"" SHA(
					  "3") "\", \"phase\": \"boot\","
					       " \"arguments\": \"any\"}],"
					       "\"scripts\": [{\"path\": \"/opt/app\", \"sha256\": "
					       "\"" SHA("4") "\","
							     " \"interpreter\": \"/bin/busybox\"}],"
							     "\"libraries\": [{\"path\": "
							     "\"/lib/x.so\", \"sha256\": \"" SHA(
								     "5") "\"}]}}";

static void ask_arguments(const struct program_policy *policy, uint32_t program)
{
	static const char vectors[][40] = {
		"sh\0-e\0/opt/app",
		"busybox\0sh\0-c\0x",
		"python3\0-u\0/opt/app\0x",
		"env\0p\0/a",
		"",
	};
	struct content scripts[] = {
		{CONTENT_SCRIPT, 0, 0}, {CONTENT_SCRIPT, 0, 1}, {CONTENT_SCRIPT, 0, UINT32_MAX}};

	for (size_t i = 0; i < array_length(vectors); i++) {
		struct arguments arguments;

		fuzz_require(arguments_parse(vectors[i], sizeof(vectors[i]), &arguments) == 0);
		while (arguments.count > 1 && !*arguments.vector[arguments.count - 1])
			arguments.count--;
		(void)program_policy_permits_arguments(policy, program, &arguments, NULL);
		for (size_t j = 0; j < array_length(scripts); j++)
			(void)program_policy_permits_arguments(policy, program, &arguments,
							       &scripts[j]);
		arguments_clear(&arguments);
	}
}

static void ask(const struct program_policy *policy)
{
	static const char *const paths[] = {"", "/", "/etc/hosts", "/etc/app/x", "/bin/one", "x"};
	uint32_t programs = (uint32_t)program_policy_counts(policy).programs;

	for (unsigned int i = 0; i < 256; i += 17) {
		uint8_t sha256[32];
		struct content content;

		memset(sha256, (int)i, sizeof(sha256));
		content = program_policy_find(policy, sha256);
		if (content.uses & CONTENT_PROGRAM)
			ask_arguments(policy, content.program);
	}
	for (uint32_t program = 0; program < 4; program++) {
		uint32_t index = program < 3 ? program : programs;

		fuzz_require(program_policy_path(policy, index));
		ask_arguments(policy, index);
		for (size_t i = 0; i < array_length(paths); i++) {
			(void)program_policy_permits_read(policy, index, paths[i]);
			(void)program_policy_permits_user(policy, index, paths[i], "root");
		}
	}
	for (size_t i = 0; i < array_length(paths); i++)
		(void)program_policy_has_path(policy, paths[i]);
}

/* Nobody stumbles over a block by chance: the input says what to change in a good one, as pairs of
 * a place and a value, or is one itself. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct program_policy *policy = NULL;
	struct profile *profile;
	struct error error;
	uint8_t *copy = malloc(size ? size : 1);
	void *block;
	size_t block_size;
	uint32_t change[2];

	fuzz_require(copy);
	if (size)
		memcpy(copy, bytes, size);
	if (program_policy_open(copy, size, &policy) == 0)
		ask(policy);
	free(copy);

	fuzz_require(profile_parse("", profile_text, strlen(profile_text), &profile, &error) == 0);
	fuzz_require(program_policy_compile(profile, NULL, &block, &block_size, &error) == 0);
	profile_free(profile);
	for (size_t at = 0; at + sizeof(change) <= size; at += sizeof(change)) {
		char *word;
		uint32_t was;

		memcpy(change, bytes + at, sizeof(change));
		word = (char *)block + change[0] % (block_size / 4) * 4;
		memcpy(&was, word, sizeof(was));
		memcpy(word, &change[1], sizeof(was));
		if (program_policy_open(block, block_size, &policy) == 0)
			ask(policy);
		else /* the next change finds a block that is good */
			memcpy(word, &was, sizeof(was));
	}
	free(block);
	return 0;
}
