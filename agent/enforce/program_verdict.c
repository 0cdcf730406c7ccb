/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/program_verdict.h"

#include <elf.h>
#include <string.h>

#include "base/cleanup.h"

/* ---- what a file is ---- */

/* Endings under which interpreters look for code, or by which people mark it. */
static const char *const code_endings[] = {
	".sh",	".bash", ".dash", ".ksh", ".zsh",   ".fish", ".csh",   ".py",  ".pyc",	 ".pyo",
	".pyw", ".pyz",	 ".pth",  ".egg", ".whl",   ".pl",   ".pm",    ".ph",  ".al",	 ".rb",
	".lua", ".luac", ".js",	  ".mjs", ".cjs",   ".node", ".ts",    ".php", ".phtml", ".phar",
	".tcl", ".tm",	 ".exp",  ".awk", ".sed",   ".scm",  ".go",    ".el",  ".elc",	 ".jar",
	".war", ".dll",	 ".exe",  ".erl", ".class", ".beam", ".groovy"};

static const struct {
	const char *bytes;
	size_t size;
} code_beginnings[] = {
	{"#!", 2}, /* binfmt_script */
	{"\x1b"
	 "Lua",
	 4},			 /* LUA_SIGNATURE of lua.h */
	{"\xca\xfe\xba\xbe", 4}, /* Java class file format, chapter 4 */
	{"FOR1", 4},		 /* BEAM file */
};

static uint16_t half_at(const uint8_t *bytes, bool big)
{
	return (uint16_t)(big ? bytes[0] << 8 | bytes[1] : bytes[1] << 8 | bytes[0]);
}

/* The kernel and the loader map ET_EXEC and ET_DYN. Whatever else calls itself ELF and is not
 * plainly another type is treated as if it could be mapped. */
static enum file_nature elf_nature(const uint8_t *bytes, size_t size)
{
	uint16_t type, other;

	if (size < EI_NIDENT + sizeof(type))
		return FILE_EXECUTABLE;
	type = half_at(bytes + EI_NIDENT, bytes[EI_DATA] == ELFDATA2MSB);
	other = half_at(bytes + EI_NIDENT, bytes[EI_DATA] != ELFDATA2MSB);
	/* the kernel reads in its own byte order, whatever EI_DATA says */
	if (other == ET_EXEC || other == ET_DYN)
		return FILE_EXECUTABLE;
	if (type == ET_REL)
		return FILE_RELOCATABLE;
	return type == ET_CORE ? FILE_DATA : FILE_EXECUTABLE;
}

static bool ends_like_code(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash : path, '.');

	for (size_t i = 0; dot && i < array_length(code_endings); i++)
		if (strcmp(dot, code_endings[i]) == 0)
			return true;
	return false;
}

enum file_nature file_nature_of(const uint8_t *bytes, size_t size, const char *path)
{
	if (!size)
		return FILE_EMPTY;
	if (size >= SELFMAG && memcmp(bytes, ELFMAG, SELFMAG) == 0)
		return elf_nature(bytes, size);
	for (size_t i = 0; i < array_length(code_beginnings); i++)
		if (size >= code_beginnings[i].size &&
		    memcmp(bytes, code_beginnings[i].bytes, code_beginnings[i].size) == 0)
			return FILE_CODE;
	return ends_like_code(path) ? FILE_CODE : FILE_DATA;
}

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
	return program_verdict_caches_open(file) && !(file->content.uses & CONTENT_PINNED) &&
	       !file->sets_user && !file->becomes_user;
}
