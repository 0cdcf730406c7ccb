/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an update does to the entries of a profile. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "daemon/update_private.h"
#include "profiles/filter.h"
#include "program/arguments.h"

static int set_text(char **place, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(*place);
	*place = copy;
	return 0;
}

int update_renew(struct update *update, const char *text, const char *sha256)
{
	struct profile *profile = update->profile;
	const struct update_path *path = update_path_of(update, text);
	int result = 0;

	if (!path)
		return -ENOMEM;
	for (size_t i = 0; path->program && result == 0 && i < profile->program_count; i++)
		if (strcmp(profile->programs[i].path, text) == 0)
			result = set_text(&profile->programs[i].sha256, sha256);
	for (size_t i = 0; path->library && result == 0 && i < profile->library_count; i++)
		if (strcmp(profile->libraries[i].path, text) == 0)
			result = set_text(&profile->libraries[i].sha256, sha256);
	for (size_t i = 0; path->script && result == 0 && i < profile->script_count; i++)
		if (strcmp(profile->scripts[i].path, text) == 0)
			result = set_text(&profile->scripts[i].sha256, sha256);
	return result;
}

void update_drop(struct update *update, const char *text, bool programs, bool libraries,
		 bool scripts)
{
	struct update_path *path = update_path_of(update, text);

	if (!path)
		return;
	if (programs && path->program)
		profile_drop_program(update->profile, text);
	if (libraries && path->library)
		profile_drop_library(update->profile, text);
	if (scripts && path->script)
		profile_drop_script(update->profile, text);
	path->program &= !programs;
	path->library &= !libraries;
	path->script &= !scripts;
}

/* Whose rights a set-user-ID program gets: without that enforcement would not let it start. */
static int add_set_user(struct update *update, struct profile_program *program,
			const struct update_file *file)
{
	const char *name;

	if (!(file->mode & S_ISUID))
		return 0;
	name = users_name(update->users, file->owner);
	if (!name || string_list_add(&program->users, name) < 0)
		return -ENOMEM;
	update_note(update, "%s is set-user-ID: whoever starts it becomes %s", program->path, name);
	return 0;
}

int update_take_program(struct update *update, const char *text, const struct update_file *file)
{
	struct update_path *path = update_path_of(update, text);
	struct profile_program *program;

	if (!path)
		return -ENOMEM;
	if (path->program)
		return update_renew(update, text, file->sha256);
	program = profile_add_program(update->profile);
	if (!program || set_text(&program->path, text) < 0 ||
	    set_text(&program->sha256, file->sha256) < 0)
		return -ENOMEM;
	path->program = true;
	program->phase = PHASE_STEADY;
	program->any_arguments = program_class_by_name(text) == PROGRAM_ORDINARY;
	if (!program->any_arguments)
		update_note(
			update,
			"%s runs what its arguments name: it is permitted for scripts of the "
			"profile and nothing else until 'rtguard learn' has seen how it is used",
			text);
	return add_set_user(update, program, file);
}

int update_take_library(struct update *update, const char *text, const struct update_file *file)
{
	struct update_path *path = update_path_of(update, text);
	struct profile_library *library;

	if (!path)
		return -ENOMEM;
	if (path->library)
		return update_renew(update, text, file->sha256);
	library = profile_add_library(update->profile);
	if (!library || set_text(&library->path, text) < 0 ||
	    set_text(&library->sha256, file->sha256) < 0)
		return -ENOMEM;
	path->library = true;
	return path->program ? update_renew(update, text, file->sha256) : 0;
}

int update_take_script(struct update *update, const char *text, const struct update_file *file,
		       const char *interpreter)
{
	struct update_path *path = update_path_of(update, text);
	struct profile *profile = update->profile;
	struct profile_script *script;
	int result;

	if (!path)
		return -ENOMEM;
	result = update_renew(update, text, file->sha256);
	for (size_t i = 0; path->script && result == 0 && i < profile->script_count; i++) {
		const char *known = profile->scripts[i].interpreter;

		if (strcmp(profile->scripts[i].path, text) == 0 &&
		    (known == interpreter ||
		     (known && interpreter && strcmp(known, interpreter) == 0)))
			return 0;
	}
	if (result < 0)
		return result;
	script = profile_add_script(profile);
	if (!script || set_text(&script->path, text) < 0 ||
	    set_text(&script->sha256, file->sha256) < 0 ||
	    (interpreter && set_text(&script->interpreter, interpreter) < 0))
		return -ENOMEM;
	path->script = true;
	return 0;
}

bool update_is_pinned(const struct update *update, const char *text)
{
	const struct profile *profile = update->profile;

	for (size_t i = 0; i < profile->program_count; i++)
		if (!profile->programs[i].any_arguments &&
		    strcmp(profile->programs[i].path, text) == 0)
			return true;
	return false;
}

static bool has_vector(const struct profile_program *program, const char *const *words,
		       size_t count)
{
	for (size_t i = 0; i < program->argument_count; i++) {
		const struct string_list *vector = &program->arguments[i];
		size_t same = 0;

		if (vector->count != count)
			continue;
		while (same < count && strcmp(vector->items[same], words[same]) == 0)
			same++;
		if (same == count)
			return true;
	}
	return false;
}

int update_permit_arguments(struct update *update, const char *text, const char *const *words,
			    size_t count)
{
	struct profile *profile = update->profile;

	for (size_t i = 0; i < profile->program_count; i++) {
		struct profile_program *program = &profile->programs[i];
		struct string_list *vector;

		if (program->any_arguments || strcmp(program->path, text) != 0 ||
		    has_vector(program, words, count))
			continue;
		vector = program_add_arguments(program);
		if (!vector)
			return -ENOMEM;
		for (size_t word = 0; word < count; word++)
			if (string_list_add(vector, words[word]) < 0)
				return -ENOMEM;
	}
	return 0;
}
