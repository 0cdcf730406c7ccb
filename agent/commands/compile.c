/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "commands/replay_report.h"
#include "commands/rule_options.h"
#include "daemon/replaying.h"
#include "profiles/profile_json.h"
#include "rules/render.h"

#define NAME	       "compile"
#define DIRECTORY_MODE 0755

struct request {
	const char *profile;
	const char *target;    /* NULL: the first */
	const char *directory; /* NULL: to standard output */
	struct option_list captures;
	struct recorded_device device;
	struct rules_options rules;
	bool json;
};

/* ---- what a program can be written as ---- */

static void write_nftables(const struct rule_program *program, FILE *stream)
{
	render_nftables(program, stream);
}

static void write_iptables(const struct rule_program *program, FILE *stream)
{
	const struct render_instance instance = RENDER_INSTANCE_DEFAULT;

	render_iptables(program, RULE_IPV4, &instance, stream);
}

static void write_ip6tables(const struct rule_program *program, FILE *stream)
{
	const struct render_instance instance = RENDER_INSTANCE_DEFAULT;

	render_iptables(program, RULE_IPV6, &instance, stream);
}

static void write_ipset(const struct rule_program *program, FILE *stream)
{
	const struct render_instance instance = RENDER_INSTANCE_DEFAULT;

	render_ipset(program, &instance, stream);
}

static const struct target {
	const char *name;
	const char *file;
	void (*write)(const struct rule_program *program, FILE *stream);
} targets[] = {
	{"nftables", "rules.nft", write_nftables},
	{"iptables", "rules.v4", write_iptables},
	{"ip6tables", "rules.v6", write_ip6tables},
	{"ipset", "sets.ipset", write_ipset},
};

static const struct target *find_target(const char *name)
{
	for (size_t i = 0; i < array_length(targets); i++)
		if (!name || strcmp(targets[i].name, name) == 0)
			return &targets[i];
	return NULL;
}

/* To be freed by the caller; NULL when memory is out. */
static char *text_of(const struct target *target, const struct rule_program *program,
		     size_t *ret_size)
{
	char *text = NULL;
	FILE *stream = open_memstream(&text, ret_size);

	if (!stream)
		return NULL;
	target->write(program, stream);
	if (fclose(stream) == 0)
		return text;
	free(text);
	return NULL;
}

/* ---- where it goes ---- */

static int write_files(const struct rule_program *program, const char *directory,
		       struct error *error)
{
	int result = directory_make(directory, DIRECTORY_MODE, error);

	for (size_t i = 0; result == 0 && i < array_length(targets); i++) {
		_cleanup_(freep) char *path = NULL;
		_cleanup_(freep) char *text = NULL;
		size_t size;

		text = text_of(&targets[i], program, &size);
		if (!text || asprintf(&path, "%s/%s", directory, targets[i].file) < 0) {
			path = NULL;
			return error_set(error, ENOMEM, "out of memory");
		}
		result = file_replace(path, text, size, error);
	}
	return result;
}

static int print_json(const struct rule_program *program, struct error *error)
{
	json_t *object = json_object();
	int result = object ? 0 : -ENOMEM;

	for (size_t i = 0; result == 0 && i < array_length(targets); i++) {
		size_t size;
		_cleanup_(freep) char *text = text_of(&targets[i], program, &size);

		if (!text ||
		    json_object_set_new(object, targets[i].name, json_stringn(text, size)) < 0)
			result = -ENOMEM;
	}
	if (result == 0 && json_dumpf(object, stdout, JSON_INDENT(2)) < 0)
		result = -ENOMEM;
	json_decref(object);
	(void)putchar('\n');
	return result < 0 ? error_set(error, -result, "out of memory") : 0;
}

static int give_out(const struct request *request, const struct rule_program *program,
		    struct error *error)
{
	if (request->directory)
		return write_files(program, request->directory, error);
	if (request->json)
		return print_json(program, error);
	find_target(request->target)->write(program, stdout);
	return 0;
}

/* ---- the self-check ---- */

/* Fills *ret_blocked with how many flows of the recordings the rules would not have let begin; they
 * are told on standard error. */
static int verify(const struct request *request, const struct profile *profile,
		  uint64_t *ret_blocked, struct error *error)
{
	struct table_style style = table_style_of(stderr);
	struct replay_report *report = replay_report_new(false);
	const struct replaying_config config = {
		.profile = profile,
		.recordings = {.files = request->captures.items,
			       .file_count = request->captures.count,
			       .device = request->device},
		.rules = &request->rules,
		.blocked = replay_report_blocked,
		.context = report,
	};
	struct replaying_result result;
	int code;

	if (!report)
		return error_set(error, ENOMEM, "out of memory");
	code = replaying_run(&config, &result, error);
	if (code == 0 && !result.heard)
		code = error_set(error, ENODATA,
				 "the device sent nothing in these recordings, so they verify "
				 "nothing; is its address right?");
	if (code == 0 && result.blocked && replay_report_print(report, &result, &style, stderr) < 0)
		code = error_set(error, ENOMEM, "out of memory");
	replay_report_free(report);
	if (code == 0)
		*ret_blocked = result.blocked;
	return code;
}

static int run(const struct request *request)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_(rule_program_freep) struct rule_program *program = NULL;
	struct error error = {0};
	uint64_t blocked = 0;
	int result = profile_load(request->profile, &profile, &error);

	if (result == 0)
		result = rules_compile(profile, &request->rules, NULL, &program, &error);
	if (result == 0 && request->captures.count)
		result = verify(request, profile, &blocked, &error);
	if (result == 0 && !blocked)
		result = give_out(request, program, &error);
	if (result < 0)
		return command_trouble(NAME, "%s", error.message);
	return command_finish(NAME, blocked ? EXIT_FINDINGS : EXIT_FINE);
}

static int take_device(const char *text, void *value)
{
	return recorded_device_parse(text, value);
}

int command_compile(int argc, char **argv)
{
	_cleanup_(freep) const char **captures = calloc((size_t)argc, sizeof(char *));
	struct request request = {
		.captures = {captures, 0},
		.rules = RULES_OPTIONS_DEFAULT,
	};
	struct command_option options[RULE_OPTION_COUNT + 6] = {
		[RULE_OPTION_COUNT] = {"target", 't', option_take_text, &request.target, NULL},
		{"output", 'o', option_take_text, &request.directory, NULL},
		{"verify", 0, option_take_listed, &request.captures, NULL},
		{"device", 'd', take_device, &request.device, EXPECTED_DEVICE},
		{"audit", .value = &request.rules.report_only},
		{"json", .value = &request.json},
	};
	int code;

	if (!captures)
		return command_trouble(NAME, "out of memory");
	rule_options_fill(options, &request.rules);
	if (!options_read(options, array_length(options), argc, argv, &code))
		return code;
	if (argc - optind != 1)
		return command_misused(NAME, "expected one profile");
	if (!find_target(request.target))
		return command_misused(NAME,
				       "--target %s: expected nftables, iptables, ip6tables "
				       "or ipset",
				       request.target);
	if ((request.target != NULL) + (request.directory != NULL) + request.json > 1)
		return command_misused(NAME, "one of --target, --output and --json: the others "
					     "write all targets");
	request.profile = argv[optind];
	return run(&request);
}
