/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "profiles/profile_json.h"
#include "profiles/signature.h"

#define NAME "sign"

struct request {
	const char *profile;
	const char *key;
	const char *output;
	uint64_t version;   /* 0: the one after that of the signature that is there */
	uint64_t back_from; /* 0: none */
};

static void freekeyp(struct signing_key **key)
{
	signing_key_free(*key);
}

/* The version to sign as. A signature that cannot be read has no version to go on from. */
static int choose_version(const struct profile *profile, struct request *request,
			  struct error *error)
{
	struct signature_info before = {0};
	int result = signature_read(profile, &before, error);

	if (result == -EBADMSG && !request->version)
		return error_set(error, EBADMSG,
				 "%s: its signature cannot be read, so say which version follows: "
				 "--version N",
				 request->profile);
	if (!request->version)
		request->version = before.version + 1;
	if (request->version < before.version && !request->back_from)
		return error_set(error, EINVAL,
				 "%s: is version %" PRIu64 " already: devices that had it refuse a "
				 "lower one unless it is signed with --back-from %" PRIu64,
				 request->profile, before.version, before.version);
	return 0;
}

static int sign(struct request *request, struct error *error)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_(freekeyp) struct signing_key *key = NULL;
	struct signature_info info;
	int result = profile_load(request->profile, &profile, error);

	if (result == 0)
		result = choose_version(profile, request, error);
	if (result == 0)
		result = signing_key_load(request->key, &key, error);
	if (result == 0)
		result = profile_sign(profile, key, request->version, request->back_from, error);
	if (result == 0)
		result = profile_save(profile, request->output, error);
	if (result < 0)
		return command_trouble(NAME, "%s", error->message);
	if (signature_read(profile, &info, error) == 0)
		(void)printf("%s: signed as version %" PRIu64 " with key %s\n", request->output,
			     info.version, info.key_id);
	return command_finish(NAME, EXIT_FINE);
}

int command_sign(int argc, char **argv)
{
	struct request request = {0};
	const struct command_option options[] = {
		{"key", 'k', option_take_text, &request.key, NULL},
		{"version", 0, option_take_number, &request.version, EXPECTED_NUMBER},
		{"back-from", 0, option_take_number, &request.back_from, EXPECTED_NUMBER},
		{"output", 'o', option_take_text, &request.output, NULL},
	};
	struct error error = {0};
	int code;

	if (!options_read(options, array_length(options), argc, argv, &code))
		return code;
	if (argc - optind != 1 || !request.key)
		return command_misused(NAME, "expected one profile and --key NAME.key");
	request.profile = argv[optind];
	if (!request.output)
		request.output = request.profile;
	return sign(&request, &error);
}
