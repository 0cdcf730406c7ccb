/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "commands/check_findings.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "profiles/profile_json.h"

#define NAME "check"

static void freejsonp(json_t **value)
{
	json_decref(*value);
}

static void freekeysp(struct verifying_keys **keys)
{
	verifying_keys_free(*keys);
}

static void add_finding(void *context, const char *place, const char *message)
{
	json_t *findings = context;

	(void)json_array_append_new(findings,
				    json_pack("{s:s, s:s}", "path", place, "message", message));
}

/* The fault of the file itself, or of what it holds. */
static int load(const char *path, struct profile **ret_profile, struct profile_fault *ret_fault)
{
	_cleanup_(freep) char *bytes = NULL;
	struct error error = {0};
	size_t size;
	int code = file_read(path, PROFILE_SIZE_LIMIT, &bytes, &size, &error);

	if (code < 0) {
		ret_fault->code = -code;
		(void)snprintf(ret_fault->message, sizeof(ret_fault->message), "%s",
			       code == -EFBIG ? "larger than a profile may be" : strerror(-code));
		return code;
	}
	return profile_examine(bytes, size, ret_profile, ret_fault);
}

static json_t *describe_signature(const struct signature_result *signature)
{
	json_t *object =
		json_pack("{s:s}", "standing", signature_standing_name(signature->standing));

	if (object && signature->readable)
		(void)json_object_update_new(
			object, json_pack("{s:s, s:I, s:I}", "key_id", signature->info.key_id,
					  "version", (json_int_t)signature->info.version,
					  "back_from", (json_int_t)signature->info.back_from));
	return object;
}

/* signature: NULL where the profile is not valid. */
static int print_json(const struct signature_result *signature, json_t *errors, json_t *findings)
{
	_cleanup_(freejsonp) json_t *result = json_pack(
		"{s:b, s:O, s:O, s:o?}", "valid", signature != NULL, "errors", errors, "warnings",
		findings, "signature", signature ? describe_signature(signature) : NULL);

	if (!result || json_dumpf(result, stdout, JSON_INDENT(2)) < 0)
		return command_trouble(NAME, "cannot write the result");
	(void)putchar('\n');
	return EXIT_FINE;
}

static void print_signature(const struct signature_result *signature)
{
	if (signature->standing == SIGNATURE_TRUSTED)
		(void)printf("  signed with key %s, which is trusted here, as version %" PRIu64
			     "\n",
			     signature->info.key_id, signature->info.version);
}

static void print_text(const char *path, const struct profile *profile,
		       const struct signature_result *signature, const json_t *findings)
{
	const json_t *finding;
	char message[1024];
	size_t i;

	(void)printf("%s: valid: %zu programs, %zu scripts, %zu libraries, %zu listeners, "
		     "%zu connections, %zu names, %zu bridged devices\n",
		     path, profile->program_count, profile->script_count, profile->library_count,
		     profile->network.listener_count, profile->network.connection_count,
		     profile->network.names.count, profile->device_count);
	print_signature(signature);
	json_array_foreach(findings, i, finding)
	{
		text_printable(json_string_value(json_object_get(finding, "message")), message,
			       sizeof(message));
		(void)printf("  %s: %s\n", json_string_value(json_object_get(finding, "path")),
			     message);
	}
}

static int report_fault(const char *path, const struct profile_fault *fault, bool json,
			json_t *findings)
{
	_cleanup_(freejsonp) json_t *errors = json_array();

	if (!json) {
		return command_trouble(NAME, "%s%s%s: %s", path, fault->place[0] ? ": " : "",
				       fault->place, fault->message);
	}
	add_finding(errors, fault->place, fault->message);
	(void)print_json(NULL, errors, findings);
	return EXIT_TROUBLE;
}

/* The usual place need not be there: then nobody is trusted. A place that was asked for has to. */
static int load_keys(const struct option_list *places, struct verifying_keys **ret_keys,
		     struct error *error)
{
	static const char *const usual[] = {TRUSTED_KEYS};
	int result;

	if (places->count)
		return verifying_keys_load(places->items, places->count, ret_keys, error);
	result = verifying_keys_load(usual, array_length(usual), ret_keys, error);
	return result == -ENOENT || result == -ENOKEY
		       ? verifying_keys_load(NULL, 0, ret_keys, error)
		       : result;
}

static int check(const char *path, const struct verifying_keys *keys, bool strict, bool json)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_(freejsonp) json_t *findings = json_array();
	_cleanup_(freejsonp) json_t *no_errors = json_array();
	struct signature_result signature;
	struct profile_fault fault = {0};
	struct utsname machine;
	int result = EXIT_FINE;

	if (!findings || !no_errors)
		return command_trouble(NAME, "out of memory");
	if (load(path, &profile, &fault) < 0)
		return report_fault(path, &fault, json, findings);
	if (check_signature(profile, keys, add_finding, findings, &signature) < 0)
		return command_trouble(NAME, "out of memory");
	check_findings(profile, uname(&machine) == 0 ? machine.machine : NULL, add_finding,
		       findings);
	if (json)
		result = print_json(&signature, no_errors, findings);
	else
		print_text(path, profile, &signature, findings);
	if (result != EXIT_FINE)
		return result;
	return command_finish(NAME,
			      strict && json_array_size(findings) > 0 ? EXIT_FINDINGS : EXIT_FINE);
}

int command_check(int argc, char **argv)
{
	_cleanup_(freep) const char **items = calloc((size_t)argc, sizeof(char *));
	_cleanup_(freekeysp) struct verifying_keys *keys = NULL;
	struct option_list places = {items, 0};
	bool strict = false;
	bool json = false;
	const struct command_option options[] = {
		{"key", 'k', option_take_listed, &places, NULL},
		{"strict", .value = &strict},
		{"json", .value = &json},
	};
	struct error error = {0};
	int code;

	if (!items)
		return command_trouble(NAME, "out of memory");
	if (!options_read(options, array_length(options), argc, argv, &code))
		return code;
	if (argc - optind != 1)
		return command_misused(NAME, "expected one profile");
	if (load_keys(&places, &keys, &error) < 0)
		return command_trouble(NAME, "%s", error.message);
	return check(argv[optind], keys, strict, json);
}
