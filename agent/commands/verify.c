/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "profiles/profile_json.h"
#include "profiles/signature.h"

#define NAME "verify"

static void freekeysp(struct verifying_keys **keys)
{
	verifying_keys_free(*keys);
}

/* What is wrong with the signature, as opposed to what kept us from looking. */
static bool is_finding(int code)
{
	return code == -ENOKEY || code == -EKEYREJECTED || code == -EBADMSG || code == -ESTALE;
}

static int judge(struct profile *profile, const struct verifying_keys *keys, uint64_t newer_than,
		 struct signature_info *ret_info, struct error *error)
{
	int result = profile_verify(profile, keys, ret_info, error);

	if (result < 0 || !newer_than || ret_info->version > newer_than ||
	    ret_info->back_from >= newer_than)
		return result;
	return error_set(error, ESTALE, "version %" PRIu64 " is not newer than %" PRIu64,
			 ret_info->version, newer_than);
}

static int print_json(const struct profile *profile, int verdict, const char *reason)
{
	struct signature_info info;
	bool readable = signature_read(profile, &info, NULL) == 0;
	json_t *result = json_pack("{s:b, s:s*}", "verified", verdict == 0, "reason",
				   verdict < 0 ? reason : NULL);
	int written = -1;

	if (result && readable)
		(void)json_object_update_new(result,
					     json_pack("{s:s, s:I, s:I}", "key_id", info.key_id,
						       "version", (json_int_t)info.version,
						       "back_from", (json_int_t)info.back_from));
	if (result)
		written = json_dumpf(result, stdout, JSON_INDENT(2));
	json_decref(result);
	(void)putchar('\n');
	return written;
}

static int report(const char *path, const struct profile *profile,
		  const struct signature_info *info, int verdict, const struct error *error,
		  bool json)
{
	if (json) {
		if (print_json(profile, verdict, error->message) < 0)
			return command_trouble(NAME, "cannot write the result");
	} else if (verdict < 0) {
		(void)printf("%s: %s\n", path, error->message);
	} else {
		(void)printf("%s: version %" PRIu64 ", signed with key %s\n", path, info->version,
			     info->key_id);
	}
	return command_finish(NAME, verdict < 0 ? EXIT_FINDINGS : EXIT_FINE);
}

static int verify(const char *path, const struct option_list *places, uint64_t newer_than,
		  bool json)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_(freekeysp) struct verifying_keys *keys = NULL;
	struct signature_info info;
	struct error error = {0};
	int verdict;

	if (verifying_keys_load(places->items, places->count, &keys, &error) < 0 ||
	    profile_load(path, &profile, &error) < 0)
		return command_trouble(NAME, "%s", error.message);
	verdict = judge(profile, keys, newer_than, &info, &error);
	if (verdict < 0 && !is_finding(verdict))
		return command_trouble(NAME, "%s: %s", path, error.message);
	return report(path, profile, &info, verdict, &error, json);
}

int command_verify(int argc, char **argv)
{
	_cleanup_(freep) const char **items = calloc((size_t)argc, sizeof(char *));
	struct option_list places = {items, 0};
	uint64_t newer_than = 0;
	bool json = false;
	const struct command_option options[] = {
		{"key", 'k', option_take_listed, &places, NULL},
		{"newer-than", 0, option_take_number, &newer_than, EXPECTED_NUMBER},
		{"json", .value = &json},
	};
	int code;

	if (!items)
		return command_trouble(NAME, "out of memory");
	if (!options_read(options, array_length(options), argc, argv, &code))
		return code;
	if (argc - optind != 1)
		return command_misused(NAME, "expected one profile");
	if (!places.count)
		items[places.count++] = TRUSTED_KEYS;
	return verify(argv[optind], &places, newer_than, json);
}
