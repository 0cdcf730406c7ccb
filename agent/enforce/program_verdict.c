/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/program_verdict.h"

#include <string.h>

#include "base/cleanup.h"

/* ---- the rule ---- */

static bool is_code(enum file_nature nature)
{
	return nature == FILE_CODE || nature == FILE_DATA;
}

/* Why a file that should be judged by its content can't be; NONE: it can. */
static enum finding_kind unjudged(const struct asked_file *file)
{
	if (file->why != FINDING_NONE)
		return file->why;
	return file->hashed ? FINDING_NONE : FINDING_FILE_UNREADABLE;
}

/* An interpreter reads what it is told to: only it is asked about files that are no ELF. */
static bool asks_about_reading(const struct program_policy *policy, const struct asked_file *file,
			       const struct asking_process *process)
{
	if (!(process->image.uses & CONTENT_PINNED) || process->only_writes)
		return false;
	return file->nature == FILE_CODE ||
	       !program_policy_permits_read(policy, process->image.program, file->path);
}

bool program_verdict_needs_content(const struct program_policy *policy, bool exec,
				   const struct asked_file *file,
				   const struct asking_process *process)
{
	if (process->is_trusted)
		return false;
	if (exec)
		return true;
	if (!process->is_known)
		return false;
	if (is_code(file->nature))
		return asks_about_reading(policy, file, process);
	return file->nature == FILE_EXECUTABLE;
}

static bool may_become_user(const struct program_policy *policy, const struct asked_file *file)
{
	return !file->becomes_user || (file->content.uses & CONTENT_PROGRAM &&
				       program_policy_permits_user(policy, file->content.program,
								   file->path, file->becomes_user));
}

enum finding_kind program_verdict_exec(const struct program_policy *policy,
				       const struct asked_file *file,
				       const struct asking_process *process)
{
	enum finding_kind why = unjudged(file);

	if (process->is_trusted)
		return FINDING_NONE;
	if (why != FINDING_NONE)
		return why;
	if (!(file->content.uses & (CONTENT_PROGRAM | CONTENT_LIBRARY | CONTENT_SCRIPT)))
		return program_policy_has_path(policy, file->path) ? FINDING_PROGRAM_CHANGED
								   : FINDING_PROGRAM_UNKNOWN;
	return may_become_user(policy, file) ? FINDING_NONE : FINDING_USER_UNKNOWN;
}

enum finding_kind program_verdict_open(const struct program_policy *policy,
				       const struct asked_file *file,
				       const struct asking_process *process)
{
	enum finding_kind why = unjudged(file);

	if (process->is_trusted)
		return FINDING_NONE;
	if (!process->is_known)
		return FINDING_IMAGE_UNKNOWN;
	if (!program_verdict_needs_content(policy, false, file, process))
		return FINDING_NONE;
	if (why != FINDING_NONE)
		return why;
	if (file->content.uses)
		return FINDING_NONE;
	if (file->nature == FILE_EXECUTABLE)
		return FINDING_EXECUTABLE_OPENED;
	return file->nature == FILE_CODE ? FINDING_SCRIPT_UNKNOWN : FINDING_READ_UNKNOWN;
}

enum finding_kind program_verdict_image(const struct program_policy *policy,
					const struct asked_file *image,
					const struct arguments *arguments,
					const struct content *script)
{
	enum finding_kind why = unjudged(image);
	const struct content *content = &image->content;

	if (why != FINDING_NONE)
		return why;
	if (!(content->uses & (CONTENT_PROGRAM | CONTENT_LIBRARY)))
		return FINDING_IMAGE_UNKNOWN;
	if (!may_become_user(policy, image))
		return FINDING_USER_UNKNOWN;
	/* a loader that was only ever named by programs runs one with arguments of its own now */
	if (!(content->uses & CONTENT_PROGRAM))
		return FINDING_ARGUMENTS_UNKNOWN;
	if (!(content->uses & CONTENT_PINNED))
		return FINDING_NONE;
	return arguments && program_policy_permits_arguments(policy, content->program, arguments,
							     script)
		       ? FINDING_NONE
		       : FINDING_ARGUMENTS_UNKNOWN;
}

/* ---- what the kernel may remember ---- */

/* Every dynamic program opens one of these before its main(): the first thing it does under its new
 * identity, and the moment to look at that. */
static bool is_loader_index(const char *path)
{
	return strcmp(path, "/etc/ld.so.cache") == 0 || strncmp(path, "/etc/ld-musl", 12) == 0;
}

bool program_verdict_caches_open(const struct asked_file *file)
{
	return unjudged(file) == FINDING_NONE && file->content.uses && !is_loader_index(file->path);
}

bool program_verdict_caches_exec(const struct asked_file *file)
{
	/* that a script was executed is what permits its interpreter a moment later */
	return program_verdict_caches_open(file) &&
	       !(file->content.uses & (CONTENT_PINNED | CONTENT_SCRIPT)) && !file->sets_user &&
	       !file->becomes_user;
}
