/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/learn_update.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "commands/commands.h"
#include "commands/table.h"
#include "daemon/update_delta.h"
#include "daemon/updating.h"

#define NAME	       "learn"
#define SHORT_CHECKSUM 12

static const char *const changes[] = {"added", "changed", "removed"};

static const struct {
	const char *list;
	const char *one;
} kinds[] = {{"programs", "program"}, {"scripts", "script"}, {"libraries", "library"}};

/* Of a program how it may run, of a script by whom. */
static void describe(const json_t *entry, char text[256])
{
	const char *interpreter = json_string_value(json_object_get(entry, "interpreter"));
	const json_t *arguments = json_object_get(entry, "arguments");

	text[0] = '\0';
	if (interpreter)
		(void)snprintf(text, 256, "by %s", interpreter);
	else if (json_is_array(arguments))
		(void)snprintf(text, 256, "scripts, %zu argument lists",
			       json_array_size(arguments));
	else if (json_is_null(arguments))
		(void)snprintf(text, 256, "scripts alone");
}

static int add_rows(struct table *table, const json_t *delta, const char *change, size_t kind)
{
	const json_t *entries = json_object_get(json_object_get(delta, change), kinds[kind].list);
	const json_t *entry;
	size_t i;

	json_array_foreach(entries, i, entry)
	{
		const char *sha256 = json_string_value(json_object_get(entry, "sha256"));
		char checksum[SHORT_CHECKSUM + 1];
		char how[256];

		(void)snprintf(checksum, sizeof(checksum), "%s", sha256 ? sha256 : "-");
		describe(entry, how);
		if (table_add(table,
			      (const char *[]){change, kinds[kind].one,
					       json_string_value(json_object_get(entry, "path")),
					       checksum, how}) < 0)
			return -1;
	}
	return 0;
}

static int print_delta(const json_t *delta)
{
	static const struct table_column columns[] = {
		{"CHANGE", false, false},  {"WHAT", false, false},    {"PATH", .shrinks = true},
		{"SHA-256", false, false}, {"RUNS", .shrinks = true},
	};
	struct table_style style = table_style_of(stdout);
	struct table *table = table_new(columns, array_length(columns));
	int result = table ? 0 : -1;

	for (size_t i = 0; i < array_length(changes); i++)
		for (size_t kind = 0; result == 0 && kind < array_length(kinds); kind++)
			result = add_rows(table, delta, changes[i], kind);
	if (result == 0)
		table_print(table, &style, stdout);
	table_free(table);
	return result;
}

static void print_notes(const json_t *notes)
{
	const json_t *note;
	size_t i;

	json_array_foreach(notes, i, note)
	{
		char printable[1024];

		text_printable(json_string_value(note), printable, sizeof(printable));
		(void)printf("note: %s\n", printable);
	}
}

static void print_outcome(const struct updating_result *result, const char *output)
{
	(void)printf("%s: %zu added, %zu changed, %zu removed\n", output,
		     update_delta_count(result->delta, "added"),
		     update_delta_count(result->delta, "changed"),
		     update_delta_count(result->delta, "removed"));
	if (result->signed_version)
		(void)printf(
			"Its signature is gone with what it covered. Read the above, then sign "
			"it again:\n  rtguard sign %s --key NAME.key --version %" PRIu64 "\n",
			output, result->signed_version + 1);
}

static int print_text(const struct updating_result *result, const char *output)
{
	if (result->written && print_delta(result->delta) < 0)
		return -1;
	print_notes(result->notes);
	if (result->written)
		print_outcome(result, output);
	else
		(void)printf("Nothing changed that the profile has or should have.\n");
	return 0;
}

static int print_json(const struct updating_result *result)
{
	json_t *whole = json_pack("{s:i, s:b, s:o?, s:O}", "command_status", result->command_status,
				  "written", result->written, "next_version",
				  result->signed_version
					  ? json_integer((json_int_t)result->signed_version + 1)
					  : NULL,
				  "notes", result->notes);
	int written = -1;

	if (whole && json_object_update(whole, result->delta) == 0)
		written = json_dumpf(whole, stdout, JSON_INDENT(2));
	json_decref(whole);
	(void)putchar('\n');
	return written;
}

int learn_update(const char *profile, const char *output, char *const *command, bool json)
{
	const struct updating_config config = {
		.profile = profile, .output = output, .command = command, .quiet_output = json};
	struct updating_result result = {0};
	struct error error = {0};
	int code = updating_run(&config, &result, &error);
	int exit_code;

	if (code < 0) {
		print_notes(result.notes);
		updating_result_clear(&result);
		return command_trouble(NAME, "%s", error.message);
	}
	code = json ? print_json(&result) : print_text(&result, output);
	if (result.command_status && !json)
		(void)printf("%s ended with %d: look at what it did before relying on this.\n",
			     command[0], result.command_status);
	exit_code = result.command_status ? EXIT_FINDINGS : EXIT_FINE;
	updating_result_clear(&result);
	if (code < 0)
		return command_trouble(NAME, "cannot write the result");
	return command_finish(NAME, exit_code);
}
