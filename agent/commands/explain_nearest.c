/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/explain.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "commands/event_text.h"
#include "report/event_flow.h"
#include "report/event_line.h"

#define VECTORS_LIMIT 5 /* learnt argument vectors of one program */

/* How an entry and a file are alike, best first. */
enum likeness {
	SAME_FILE,    /* path and checksum: something else about it was missed */
	SAME_PATH,    /* other content */
	SAME_CONTENT, /* elsewhere */
	SAME_NAME,    /* base name alone */
	LIKENESS_COUNT,
};

static const char *const relations[LIKENESS_COUNT] = {
	[SAME_FILE] = "this file",
	[SAME_PATH] = "same path, other content",
	[SAME_CONTENT] = "same content, other path",
	[SAME_NAME] = "same name, other path and content",
};

static enum likeness compare(const char *path, const char *sha256, const char *entry_path,
			     const char *entry_sha256)
{
	bool same_path = strcmp(path, entry_path) == 0;
	bool same_content = sha256 && entry_sha256 && strcmp(sha256, entry_sha256) == 0;

	if (same_path && same_content)
		return SAME_FILE;
	if (same_path)
		return SAME_PATH;
	if (same_content)
		return SAME_CONTENT;
	return *path && strcmp(path_base_name(path), path_base_name(entry_path)) == 0
		       ? SAME_NAME
		       : LIKENESS_COUNT;
}

static void add(json_t *list, const char *relation, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void add(json_t *list, const char *relation, const char *format, ...)
{
	char entry[2 * PROFILE_STRING_LIMIT];
	va_list arguments;

	if (json_array_size(list) >= EXPLAIN_NEAREST_LIMIT)
		return;
	va_start(arguments, format);
	(void)vsnprintf(entry, sizeof(entry), format, arguments);
	va_end(arguments);
	(void)json_array_append_new(list,
				    json_pack("{s:s, s:s}", "relation", relation, "entry", entry));
}

static const char *or_unknown(const char *text)
{
	return text ? text : "(checksum not known)";
}

static void add_alike(json_t *list, enum likeness wanted, const char *path, const char *sha256,
		      const struct profile *profile)
{
	for (size_t i = 0; i < profile->program_count; i++) {
		const struct profile_program *entry = &profile->programs[i];

		if (compare(path, sha256, entry->path, entry->sha256) == wanted)
			add(list, relations[wanted], "program %s %s", entry->path,
			    or_unknown(entry->sha256));
	}
	for (size_t i = 0; i < profile->library_count; i++) {
		const struct profile_library *entry = &profile->libraries[i];

		if (compare(path, sha256, entry->path, entry->sha256) == wanted)
			add(list, relations[wanted], "library %s %s", entry->path,
			    or_unknown(entry->sha256));
	}
	for (size_t i = 0; i < profile->script_count; i++) {
		const struct profile_script *entry = &profile->scripts[i];

		if (compare(path, sha256, entry->path, entry->sha256) == wanted)
			add(list, relations[wanted], "script %s %s of %s", entry->path,
			    or_unknown(entry->sha256),
			    entry->interpreter ? entry->interpreter : "(not known)");
	}
}

static void add_vector(json_t *list, const struct string_list *vector)
{
	_cleanup_(freep) char *joined = NULL;
	struct text text = {0};

	for (size_t i = 0; i < vector->count; i++)
		text_printf(&text, "%s%s", i ? " " : "", vector->items[i]);
	if (text_finish(&text, &joined) == 0)
		add(list, "arguments that were learnt", "%s",
		    vector->count ? joined : "(without arguments)");
}

/* How many words two vectors begin with in common. */
static size_t common_words(const json_t *arguments, const struct string_list *vector)
{
	size_t count = 0;

	/* without its first word, as the profile has those of interpreters */
	while (count < vector->count && count + 1 < json_array_size(arguments) &&
	       strcmp(vector->items[count],
		      json_string_value(json_array_get(arguments, count + 1))) == 0)
		count++;
	return count;
}

static void add_vectors(json_t *list, const json_t *event, const struct profile_program *program)
{
	const json_t *arguments = json_object_get(event, EVENT_KEY_ARGUMENTS);
	size_t told = 0;

	for (size_t common = json_array_size(arguments) + 1; common-- > 0;)
		for (size_t i = 0; i < program->argument_count && told < VECTORS_LIMIT; i++)
			if (common_words(arguments, &program->arguments[i]) == common) {
				add_vector(list, &program->arguments[i]);
				told++;
			}
}

/* What a program of the profile was learnt to do, where that was the matter. */
static void add_doings(json_t *list, const json_t *event, const char *path, const char *sha256,
		       const struct profile *profile)
{
	enum finding_kind kind = event_finding_kind(event);
	const char *program = event_text(event, EVENT_KEY_PROGRAM, "");

	for (size_t i = 0; i < profile->program_count; i++) {
		const struct profile_program *entry = &profile->programs[i];

		if (kind == FINDING_ARGUMENTS_UNKNOWN &&
		    compare(path, sha256, entry->path, entry->sha256) == SAME_FILE)
			add_vectors(list, event, entry);
		if (kind == FINDING_USER_UNKNOWN &&
		    compare(path, sha256, entry->path, entry->sha256) == SAME_FILE)
			for (size_t j = 0; j < entry->users.count; j++)
				add(list, "user that it was", "%s", entry->users.items[j]);
		if (kind == FINDING_READ_UNKNOWN && strcmp(program, entry->path) == 0)
			for (size_t j = 0; j < entry->reads.count; j++)
				add(list, "what that program was learnt to read", "%s",
				    entry->reads.items[j]);
	}
}

json_t *explain_nearest(const json_t *event, const struct profile *profile)
{
	const char *path = event_text(event, EVENT_KEY_PATH, "");
	const char *sha256 = event_text(event, EVENT_KEY_SHA256, NULL);
	json_t *list = json_array();
	struct finding_flow flow;

	if (!list)
		return NULL;
	if (event_flow_read(event, &flow)) {
		explain_flow_nearest(list, event_finding_kind(event), &flow, profile);
		return list;
	}
	for (unsigned int likeness = 0; likeness < LIKENESS_COUNT; likeness++)
		add_alike(list, likeness, path, sha256, profile);
	add_doings(list, event, path, sha256, profile);
	return list;
}
