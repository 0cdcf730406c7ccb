/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
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

static int print_json(bool valid, json_t *errors, json_t *findings)
{
	_cleanup_(freejsonp) json_t *result = json_pack("{s:b, s:O, s:O}", "valid", valid, "errors",
							errors, "warnings", findings);

	if (!result || json_dumpf(result, stdout, JSON_INDENT(2)) < 0)
		return command_trouble(NAME, "cannot write the result");
	(void)putchar('\n');
	return EXIT_FINE;
}

static void print_text(const char *path, const struct profile *profile, const json_t *findings)
{
	const json_t *finding;
	char message[1024];
	size_t i;

	(void)printf("%s: valid: %zu programs, %zu scripts, %zu libraries, %zu listeners, "
		     "%zu connections, %zu names, %zu bridged devices\n",
		     path, profile->program_count, profile->script_count, profile->library_count,
		     profile->network.listener_count, profile->network.connection_count,
		     profile->network.names.count, profile->device_count);
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
	(void)print_json(false, errors, findings);
	return EXIT_TROUBLE;
}

static int check(const char *path, bool strict, bool json)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_(freejsonp) json_t *findings = json_array();
	_cleanup_(freejsonp) json_t *no_errors = json_array();
	struct profile_fault fault = {0};
	struct utsname machine;
	int result = EXIT_FINE;

	if (!findings || !no_errors)
		return command_trouble(NAME, "out of memory");
	if (load(path, &profile, &fault) < 0)
		return report_fault(path, &fault, json, findings);
	check_findings(profile, uname(&machine) == 0 ? machine.machine : NULL, add_finding,
		       findings);
	if (json)
		result = print_json(true, no_errors, findings);
	else
		print_text(path, profile, findings);
	if (result != EXIT_FINE)
		return result;
	return command_finish(NAME,
			      strict && json_array_size(findings) > 0 ? EXIT_FINDINGS : EXIT_FINE);
}

int command_check(int argc, char **argv)
{
	bool strict = false;
	bool json = false;
	const struct command_option options[] = {
		{"strict", .value = &strict},
		{"json", .value = &json},
	};
	int code;

	if (!options_read(options, array_length(options), argc, argv, &code))
		return code;
	if (argc - optind != 1)
		return command_misused(NAME, "expected one profile");
	return check(argv[optind], strict, json);
}
