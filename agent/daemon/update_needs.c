/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a changed file is, and what running it needs. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "daemon/update_private.h"
#include "program/arguments.h"

#define LIBRARY_DEPTH	  32
#define INTERPRETER_DEPTH 4 /* of scripts that interpret scripts; fs/exec.c has as many */

static int close_libraries(struct update *update, const char *raw, const struct update_file *file,
			   const struct library_user *parent, int depth);

/* One library that something needs. */
struct need {
	struct update *update;
	const struct library_user *user;
	int depth;
};

static int need_library(void *context, const char *raw)
{
	const struct need *need = context;
	struct update *update = need->update;
	_cleanup_(freep) char *text = update_text(raw);
	struct update_path *path = text ? update_path_of(update, text) : NULL;
	struct update_file file;
	const char *why;
	int result;

	if (!path)
		return -ENOMEM;
	if (path->closed)
		return 0;
	result = update_file_read(raw, true, &file, &why);
	if (result == -EIO) {
		update_note(update, "%s, which %s needs: %s", text, need->user->path, why);
		return 0;
	}
	if (result < 0)
		return result;
	result = update_take_library(update, text, &file);
	path->taken = true;
	if (result == 0)
		result = close_libraries(update, raw, &file, need->user, need->depth + 1);
	update_file_clear(&file);
	return result;
}

/* The loader and all libraries of an ELF file, and theirs. */
static int close_libraries(struct update *update, const char *raw, const struct update_file *file,
			   const struct library_user *parent, int depth)
{
	const struct library_user user = {raw, &file->format, parent};
	struct need need = {update, &user, depth};
	_cleanup_(freep) char *text = update_text(raw);
	struct update_path *path = text ? update_path_of(update, text) : NULL;
	const struct executable_format *format = &file->format;
	int result = 0;

	if (!path)
		return -ENOMEM;
	if (path->closed || depth == LIBRARY_DEPTH)
		return 0;
	path->closed = true;
	if (format->has_loader) {
		_cleanup_(freep) char *loader = realpath(format->interpreter, NULL);

		if (loader)
			result = need_library(&need, loader);
		else
			update_note(update, "%s needs %s, which is not there", text,
				    format->interpreter);
	}
	for (size_t at = 0; result == 0 && at < format->needed_size;
	     at += strlen(format->needed + at) + 1) {
		const char *name = format->needed + at;

		result = library_search(update->places, &user, name, need_library, &need);
		if (result != -ENOENT)
			continue;
		update_note(update, "%s needs %s, which is not where ld.so looks", text, name);
		result = 0;
	}
	return result;
}

static int take_program(struct update *update, const char *raw, const char *text,
			const struct update_file *file)
{
	int result;

	update_drop(update, text, false, false, true);
	result = update_take_program(update, text, file);
	return result < 0 ? result : close_libraries(update, raw, file, NULL, 0);
}

static int take_library(struct update *update, const char *raw, const char *text,
			const struct update_file *file)
{
	int result;

	update_drop(update, text, false, false, true);
	result = update_take_library(update, text, file);
	return result < 0 ? result : close_libraries(update, raw, file, NULL, 0);
}

/* ---- interpreters ---- */

/* As execvp(3) looks where nothing sets PATH, and where systemd sets it. */
static char *find_program(const char *name)
{
	static const char *const directories[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
						  "/usr/bin",	     "/sbin",	       "/bin"};

	if (!*name)
		return NULL;
	if (strchr(name, '/'))
		return name[0] == '/' ? realpath(name, NULL) : NULL;
	for (size_t i = 0; i < array_length(directories); i++) {
		char path[PATH_MAX];

		if (snprintf(path, sizeof(path), "%s/%s", directories[i], name) <
			    (int)sizeof(path) &&
		    access(path, X_OK) == 0)
			return realpath(path, NULL);
	}
	return NULL;
}

static int take_script(struct update *update, const char *raw, const char *text,
		       struct update_file *file, int depth);

/* A program that may be new to the profile, or a script that is an interpreter itself. Returns 1
 * when it may be started. */
static int take_interpreter(struct update *update, const char *raw, const char *text,
			    const char *script, int depth)
{
	struct update_file file;
	const char *why = "it is no program";
	int result = update_file_read(raw, true, &file, &why);

	if (result == 0) {
		bool fits = file.kind == UPDATE_PROGRAM ||
			    (file.kind == UPDATE_SCRIPT && depth < INTERPRETER_DEPTH);

		if (fits)
			update_path_of(update, text)->taken = true;
		if (fits && file.kind == UPDATE_PROGRAM)
			result = take_program(update, raw, text, &file);
		else if (fits)
			result = take_script(update, raw, text, &file, depth + 1);
		update_file_clear(&file);
		if (result < 0 || fits)
			return result < 0 ? result : 1;
	}
	if (result < 0 && result != -EIO)
		return result;
	update_note(update, "%s is for %s: %s", script, text, why);
	return 0;
}

/* Sees to it that the file may be started, and says what it is called in the profile: "" where it
 * may not. */
static int need_interpreter(struct update *update, const char *named, const char *script, int depth,
			    char **ret_text)
{
	_cleanup_(freep) char *raw = find_program(named);
	_cleanup_(freep) char *text = raw ? update_text(raw) : strdup("");
	const struct update_path *path;
	int result = 1;

	if (!text)
		return -ENOMEM;
	if (!raw) {
		update_note(update, "%s is for %s, which is not there", script, named);
	} else {
		path = update_path_of(update, text);
		if (!path)
			return -ENOMEM;
		/* one that the profile has and nobody changed is as it should be */
		if (!path->taken && !path->program)
			result = take_interpreter(update, raw, text, script, depth);
		if (result == 0)
			*text = '\0';
	}
	if (result < 0)
		return result;
	*ret_text = take_pointer(text);
	return 0;
}

/* What stands between the interpreter and the script has to be permitted word by word; a script
 * alone is by being in the profile. */
static int permit(struct update *update, const char *interpreter, const char *called,
		  char *const *options, size_t option_count, const char *script)
{
	const char *words[SCRIPT_WORDS + 2];
	size_t count = 0;

	if (!option_count || !update_is_pinned(update, interpreter))
		return 0;
	if (program_class_by_name(interpreter) == PROGRAM_MULTI_CALL)
		words[count++] = path_base_name(called);
	for (size_t i = 0; i < option_count; i++)
		words[count++] = options[i];
	words[count++] = script;
	return update_permit_arguments(update, interpreter, words, count);
}

static bool is_env(const char *named)
{
	return strcmp(path_base_name(named), "env") == 0;
}

/* "#!/usr/bin/env python3": two interpreters run the file, one after the other. */
static int take_env_target(struct update *update, const char *text, struct update_file *file,
			   int depth)
{
	char *words[SCRIPT_WORDS];
	size_t count = script_line_env_words(&file->line, words);
	_cleanup_(freep) char *interpreter = NULL;
	int result;

	if (!count) {
		update_note(update,
			    "%s: what its '#!' line makes env start cannot be told; learn it",
			    text);
		return 0;
	}
	result = need_interpreter(update, words[0], text, depth, &interpreter);
	if (result < 0 || !*interpreter)
		return result;
	result = update_take_script(update, text, file, interpreter);
	return result < 0 ? result
			  : permit(update, interpreter, words[0], words + 1, count - 1, text);
}

static int take_script(struct update *update, const char *raw, const char *text,
		       struct update_file *file, int depth)
{
	struct script_line *line = &file->line;
	char *argument = line->argument;
	_cleanup_(freep) char *interpreter = NULL;
	int result;

	if (!line->interpreter[0]) {
		update_note(update, "%s has a '#!' line that starts nothing", text);
		return update_renew(update, text, file->sha256);
	}
	/* what is not to be started is code that pinned programs alone may read */
	if (!(file->mode & (S_IXUSR | S_IXGRP | S_IXOTH)) && !update_path_of(update, text)->script)
		return string_list_add(&update->code, raw);
	result = need_interpreter(update, line->interpreter, text, depth, &interpreter);
	if (result < 0 || !*interpreter)
		return result;
	update_drop(update, text, true, true, false);
	result = update_take_script(update, text, file, interpreter);
	if (result == 0)
		result = permit(update, interpreter, line->interpreter, &argument,
				*argument ? 1 : 0, text);
	return result == 0 && is_env(line->interpreter) ? take_env_target(update, text, file, depth)
							: result;
}

/* ---- one file ---- */

static int take_kind(struct update *update, const char *raw, const char *text,
		     struct update_file *file)
{
	switch (file->kind) {
	case UPDATE_PROGRAM:
		return take_program(update, raw, text, file);
	case UPDATE_LIBRARY:
		return take_library(update, raw, text, file);
	case UPDATE_SCRIPT:
		return take_script(update, raw, text, file, 0);
	case UPDATE_CODE:
		/* who reads a file that was learnt is known */
		return update_path_of(update, text)->script ? 0
							    : string_list_add(&update->code, raw);
	case UPDATE_DATA:
		break;
	}
	return 0;
}

int update_take(struct update *update, const char *raw, bool always)
{
	_cleanup_(freep) char *text = update_text(raw);
	struct update_path *path = text ? update_path_of(update, text) : NULL;
	struct update_file file;
	const char *why;
	int result;

	if (!path)
		return -ENOMEM;
	if (path->taken)
		return 0;
	result = update_file_read(raw, always, &file, &why);
	if (result == -EIO) {
		update_note(update, "%s: %s", text, why);
		return 0;
	}
	if (result < 0)
		return result;
	path->taken = true;
	if (always)
		result = update_renew(update, text, file.sha256);
	if (result == 0)
		result = take_kind(update, raw, text, &file);
	update_file_clear(&file);
	return result;
}

/* ---- code that interpreters read ---- */

/* named: whom a "#!" line names, which for a file that is read and not started says the language
 * alone; NULL for none. */
static bool reads_code(const struct profile_program *program, const char *named, const char *raw)
{
	if (program->any_arguments || program_class_by_name(program->path) == PROGRAM_ORDINARY)
		return false;
	return update_speaks(program->path, raw) || (named && strcmp(program->path, named) == 0);
}

static int take_readers(struct update *update, const char *raw, const char *text,
			const struct update_file *file)
{
	struct profile *profile = update->profile;
	_cleanup_(freep) char *interpreter = find_program(file->line.interpreter);
	_cleanup_(freep) char *named = interpreter ? update_text(interpreter) : NULL;
	int result = 0;

	for (size_t i = 0; result == 0 && i < profile->program_count; i++)
		if (reads_code(&profile->programs[i], named, raw))
			result = update_take_script(update, text, file, profile->programs[i].path);
	return result;
}

static int take_code(struct update *update, const char *raw)
{
	_cleanup_(freep) char *text = update_text(raw);
	struct update_file file;
	const char *why;
	int result;

	if (!text)
		return -ENOMEM;
	result = update_file_read(raw, true, &file, &why);
	if (result == -EIO) {
		update_note(update, "%s: %s", text, why);
		return 0;
	}
	if (result < 0)
		return result;
	result = take_readers(update, raw, text, &file);
	update_file_clear(&file);
	return result;
}

int update_take_code(struct update *update)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < update->code.count; i++)
		result = take_code(update, update->code.items[i]);
	return result;
}
