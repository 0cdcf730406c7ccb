/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/script_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "observe/host/named_file.h"
#include "observe/host/process_info.h"

struct script_file {
	struct script_file *next;
	struct script_files *owner;
	pid_t pid;
	bool shebang;
	char named[256]; /* in the "#!" line */
	bool hashed;
	bool given_up;
	uint64_t opened_ns;
	struct file_key file;
	struct label *path;
	struct label *interpreter; /* NULL: not known yet */
	struct executable executable;
};

struct script_files {
	struct executables *executables;
	observation_fn deliver;
	void *context;
	struct script_file *first;
};

int script_files_new(struct executables *executables, observation_fn deliver, void *context,
		     struct script_files **ret_scripts)
{
	struct script_files *scripts = calloc(1, sizeof(*scripts));

	if (!scripts)
		return -ENOMEM;
	scripts->executables = executables;
	scripts->deliver = deliver;
	scripts->context = context;
	*ret_scripts = scripts;
	return 0;
}

static void free_script(struct script_file *script)
{
	label_release(script->path);
	label_release(script->interpreter);
	free(script);
}

void script_files_free(struct script_files *scripts)
{
	if (!scripts)
		return;
	while (scripts->first) {
		struct script_file *script = scripts->first;

		scripts->first = script->next;
		free_script(script);
	}
	free(scripts);
}

/* Delivers what is complete and forgets it. */
static void settle(struct script_file *script)
{
	struct script_files *scripts = script->owner;
	struct script_file **place = &scripts->first;

	if (!script->hashed || (!script->interpreter && !script->given_up))
		return;
	while (*place != script)
		place = &(*place)->next;
	*place = script->next;
	if (script->interpreter && script->executable.hashed && script->path) {
		struct observation observation = {
			.kind = OBSERVATION_SCRIPT,
			.time_ns = clock_realtime_ns(),
			.script = {.path = script->path->text,
				   .sha256 = script->executable.sha256,
				   .interpreter = script->interpreter->text},
		};

		executables_add_note(scripts->executables, &script->file, EXECUTABLE_SCRIPT_TOLD);
		scripts->deliver(scripts->context, &observation);
	}
	free_script(script);
}

static void hashed(void *context, const struct executable *executable)
{
	struct script_file *script = context;

	script->executable = *executable;
	script->hashed = true;
	settle(script);
}

static void start(struct script_files *scripts, int fd, pid_t pid, struct label *path,
		  struct label *interpreter, bool shebang, uint64_t now_ns)
{
	struct script_file *script = calloc(1, sizeof(*script));
	struct executable_format format;
	struct stat status;

	if (!script) {
		(void)close(fd);
		return;
	}
	script->owner = scripts;
	script->pid = pid;
	script->shebang = shebang;
	script->opened_ns = now_ns;
	if (fstat(fd, &status) == 0)
		script->file = file_key_of(&status);
	if (shebang && executable_format_of(fd, &format) == 0) {
		(void)snprintf(script->named, sizeof(script->named), "%s", format.interpreter);
		executable_format_clear(&format);
	}
	script->path = label_reference(path);
	script->interpreter = label_reference(interpreter);
	script->next = scripts->first;
	scripts->first = script;
	executables_hash(scripts->executables, fd, hashed, script);
}

void script_files_opened(struct script_files *scripts, int fd, pid_t pid, struct label *path,
			 bool shebang, uint64_t now_ns)
{
	start(scripts, fd, pid, path, NULL, shebang, now_ns);
}

void script_files_read(struct script_files *scripts, int fd, pid_t pid, struct label *path,
		       struct label *interpreter)
{
	start(scripts, fd, pid, path, interpreter, false, 0);
}

bool script_files_has(const struct script_files *scripts, const struct file_key *file)
{
	for (const struct script_file *script = scripts->first; script; script = script->next)
		if (file_key_equal(&script->file, file))
			return true;
	return false;
}

/* Whether the process executed that script, too: the outer one of a chain of "#!" lines names it.
 */
static bool is_pending(const struct script_files *scripts, pid_t pid, const struct file_key *file)
{
	for (const struct script_file *script = scripts->first; script; script = script->next)
		if (script->pid == pid && script->file.device == file->device &&
		    script->file.inode == file->inode)
			return true;
	return false;
}

/* Returns the label with a reference of its own, or NULL when it can't be known. */
static struct label *named_interpreter(struct script_file *script, struct label *interpreter)
{
	_cleanup_(freep) char *path = NULL;
	struct stat status;
	struct file_key file;

	if (!script->shebang || !script->named[0] || !interpreter ||
	    strcmp(script->named, interpreter->text) == 0)
		return label_reference(interpreter);
	if (stat(script->named, &status) < 0)
		return label_reference(interpreter); /* another root directory, or gone */
	file = file_key_of(&status);
	if (file.device == interpreter->file.device && file.inode == interpreter->file.inode)
		return label_reference(interpreter);
	if (is_pending(script->owner, script->pid, &file))
		return label_reference(interpreter); /* itself a script */
	if (!executables_knows(script->owner->executables, &file))
		return NULL; /* not seen to run */
	path = realpath(script->named, NULL);
	return path ? label_new(path, &file) : NULL;
}

bool script_files_interpreted(struct script_files *scripts, pid_t pid, struct label *interpreter)
{
	struct script_file *next;
	bool found = false;

	for (struct script_file *script = scripts->first; script; script = script->next) {
		if (script->pid != pid || script->interpreter || script->given_up)
			continue;
		script->interpreter = named_interpreter(script, interpreter);
		script->given_up = !script->interpreter;
		found |= script->interpreter &&
			 strcmp(script->interpreter->text, interpreter->text) == 0;
	}
	/* not before all are known: one may be named by another */
	for (struct script_file *script = scripts->first; script; script = next) {
		next = script->next;
		if (script->pid == pid)
			settle(script);
	}
	return found;
}

void script_files_expire(struct script_files *scripts, uint64_t before_ns,
			 process_interpreter_fn interpreter, void *context)
{
	struct script_file *next;

	for (struct script_file *script = scripts->first; script; script = next) {
		next = script->next;
		if (script->interpreter || script->given_up || script->opened_ns >= before_ns)
			continue;
		if (!script->shebang)
			script->interpreter = label_reference(interpreter(context, script->pid));
		script->given_up = true;
		settle(script);
	}
}

bool script_files_waiting(const struct script_files *scripts)
{
	for (const struct script_file *script = scripts->first; script; script = script->next)
		if (!script->interpreter && !script->given_up)
			return true;
	return false;
}

/* Not the process's own descriptors (/dev/fd/3): what they are open on has another name. */
static int open_named(pid_t pid, const char *name)
{
	_cleanup_(closep) int place = -1;
	uint64_t number;

	if (named_file_is_descriptor(name, &number))
		return -ELOOP;
	place = named_file_open(pid, name, false);
	return place < 0 ? place : regular_file_reopen(place);
}

void script_files_from_arguments(struct script_files *scripts, pid_t pid, struct label *interpreter,
				 const struct arguments *arguments)
{
	const char *argument = interpreter ? script_argument(interpreter->text, arguments) : NULL;
	_cleanup_(freep) char *name = NULL;
	struct label *label;
	struct stat status;
	int fd;

	if (!argument || !*argument || executables_room(scripts->executables) == 0)
		return;
	fd = open_named(pid, argument);
	if (fd < 0)
		return;
	if (fstat(fd, &status) < 0 || descriptor_path(fd, &name) < 0) {
		(void)close(fd);
		return;
	}
	label = label_new(name, NULL);
	start(scripts, fd, pid, label, interpreter, true, 0);
	label_release(label);
}
