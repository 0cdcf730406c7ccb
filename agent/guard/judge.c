/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event: which file, what is in it, may who asks have it? */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "guard/examiner.h"
#include "guard/guard_private.h"
#include "process/process_read.h"

#define EXEC_BITS (FAN_OPEN_EXEC_PERM | FAN_OPEN_EXEC)
#define OPEN_BITS (FAN_OPEN_PERM | FAN_OPEN)

/* BINPRM_BUF_SIZE of linux/binfmts.h: the kernel looks no further for a "#!" line */
#define FIRST_BYTES 256

void guard_remember(struct guard *guard, enum filesystem_class class,
		    const struct file_result *result, bool settled, enum file_nature nature)
{
	struct verdict_entry *entry;

	/* of a file in memory the kernel tells us when whoever wrote to it closes it */
	if (!result->hashed || !settled ||
	    (class != FILESYSTEM_LOCAL && class != FILESYSTEM_MEMORY))
		return;
	entry = verdict_cache_add(guard->cache, &result->key);
	entry->content = result->content;
	entry->nature = (uint8_t)nature;
	memcpy(entry->sha256, result->sha256, sizeof(entry->sha256));
}

static void read_path(struct guard *guard, const struct inquiry *inquiry)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "fd/%d", inquiry->fd);
	process_read_link(getpid(), name, guard->path, sizeof(guard->path));
}

static int look(struct guard *guard, struct inquiry *inquiry)
{
	int result = file_facts_at(inquiry->fd, "", &inquiry->facts);

	if (result < 0)
		return result;
	inquiry->class = filesystems_class(guard->filesystems, &inquiry->facts, inquiry->pid);
	if (guard->config->trusts_changing_mounts)
		inquiry->class = FILESYSTEM_LOCAL;
	return 0;
}

/* What is known of the content, or why it never will be. false: it has to be hashed. */
static bool find_content(struct guard *guard, const struct inquiry *inquiry,
			 struct asked_file *file)
{
	const struct file_facts *facts = &inquiry->facts;
	const struct verdict_entry *entry;

	if (inquiry->file.known) {
		file->hashed = inquiry->file.hashed;
		file->why = inquiry->file.why;
		file->content = inquiry->file.content;
		return true;
	}
	if (inquiry->class == FILESYSTEM_USER) {
		file->why = FINDING_FILESYSTEM_UNTRUSTED;
		return true;
	}
	if (!S_ISREG(facts->mode))
		return true;
	entry = verdict_cache_find(guard->cache, &facts->key);
	if (entry) {
		file->hashed = true;
		file->content = entry->content;
		file->nature = entry->nature;
		return true;
	}
	if ((uint64_t)facts->key.size > guard->config->file_size_limit) {
		file->why = FINDING_FILE_TOO_LARGE;
		return true;
	}
	return false;
}

/* The kernel need not ask again, as far as the rule allows. */
static void tell_kernel(struct guard *guard, const struct inquiry *inquiry,
			const struct asked_file *file)
{
	struct verdict_entry *entry = verdict_cache_find(guard->cache, &inquiry->facts.key);
	unsigned int marks = 0;

	if (!entry || !file->content.uses)
		return;
	if (program_verdict_caches_open(file))
		marks |= KERNEL_MARK_OPEN;
	if (program_verdict_caches_exec(file))
		marks |= KERNEL_MARK_EXEC;
	/* an exec of what is always asked again at exec */
	if (!(inquiry->mask & OPEN_BITS) && (entry->marked & marks) == marks)
		return;
	if (marks && kernel_cache_mark(&guard->kernel, inquiry->fd, &inquiry->facts.key, marks)) {
		entry->marked = (uint8_t)marks;
		guard->desk->cached++;
	}
}

/* ---- exec ---- */

static const char *user_name(const struct guard *guard, uint32_t user, char number[16])
{
	for (size_t i = 0; i < guard->config->user_count; i++)
		if (guard->config->users[i].user == user)
			return guard->config->users[i].name;
	if (user == 0)
		return "root";
	(void)snprintf(number, 16, "%u", user);
	return number;
}

/* The kernel goes on to what the "#!" line names: its event comes next, by the same process. */
static void note_script(struct guard *guard, const struct inquiry *inquiry,
			const struct asked_file *file)
{
	struct script_exec *script = image_table_script(guard->images, inquiry->pid, false);
	char line[FIRST_BYTES + 1] = "";
	bool chained = script != NULL;
	char *rest;
	char *end;

	if (pread(inquiry->fd, line, FIRST_BYTES, 0) < 3 || strncmp(line, "#!", 2) != 0)
		return;
	script = image_table_script(guard->images, inquiry->pid, true);
	if (!script)
		return;
	script->content = file->content;
	script->chained = chained;
	line[strcspn(line, "\n")] = '\0';
	rest = line + 2 + strspn(line + 2, " \t");
	end = rest + strcspn(rest, " \t");
	if (*end)
		*end++ = '\0';
	(void)snprintf(script->interpreter, sizeof(script->interpreter), "%s", rest);
	rest = end + strspn(end, " \t");
	for (end = rest + strlen(rest); end > rest && strchr(" \t", end[-1]);)
		*--end = '\0';
	(void)snprintf(script->option, sizeof(script->option), "%s", rest);
}

/* The arguments of an exec that waits; what cannot be said now is said when the program runs. */
static enum judgement judge_exec_arguments(struct guard *guard, struct inquiry *inquiry,
					   const struct asked_file *file,
					   enum finding_kind *ret_kind)
{
	const struct script_exec *script = image_table_script(guard->images, inquiry->pid, false);
	const char *name;
	int result;

	/* the loader of a program, whose arguments these are then */
	if (!guard->reads_exec_arguments || file->content.uses & CONTENT_LIBRARY ||
	    (script && script->chained))
		return JUDGED;
	result = command_line_of_exec(&guard->line, &guard->desk->transient, inquiry->pid);
	if (result < 0)
		return JUDGED;
	if (script) {
		if (exec_path(&guard->desk->transient, inquiry->pid, guard->path,
			      sizeof(guard->path)) < 0 ||
		    command_line_through_script(&guard->line, script->interpreter, script->option,
						guard->path) < 0)
			return JUDGED;
	}
	return judge_arguments(guard, inquiry, file, script ? &script->content : NULL, ret_kind,
			       &name);
}

/* Whoever asks: what we trust may read what it must, and starts what anybody may. */
static enum judgement judge_exec(struct guard *guard, struct inquiry *inquiry,
				 enum finding_kind *ret_kind)
{
	const struct asking_process anybody = {.is_known = true};
	struct asked_file file = {.nature = FILE_EXECUTABLE};
	enum judgement judgement = JUDGED;
	char number[16];

	if (!find_content(guard, inquiry, &file))
		return NEEDS_HASH;
	read_path(guard, inquiry);
	file.path = guard->path;
	file.sets_user = inquiry->facts.mode & S_ISUID;
	if (file.sets_user &&
	    process_read_user(&guard->desk->transient, inquiry->pid) != inquiry->facts.owner)
		file.becomes_user = user_name(guard, inquiry->facts.owner, number);
	*ret_kind = program_verdict_exec(guard->policy, &file, &anybody);
	if (*ret_kind != FINDING_NONE)
		return JUDGED;
	tell_kernel(guard, inquiry, &file);
	if (!(file.content.uses & CONTENT_PROGRAM)) {
		if (file.content.uses & CONTENT_SCRIPT)
			note_script(guard, inquiry, &file);
		return JUDGED;
	}
	if (file.content.uses & CONTENT_PINNED && guard->config->mode == GUARD_ENFORCE)
		judgement = judge_exec_arguments(guard, inquiry, &file, ret_kind);
	if (judgement == JUDGED) {
		image_table_forget(guard->images, inquiry->pid);
		image_table_end_script(guard->images, inquiry->pid);
	}
	return judgement;
}

/* ---- open ---- */

/* What an interpreter was told to run is code, whatever it looks like. */
static bool is_its_script(struct guard *guard, const struct inquiry *inquiry,
			  const struct image *image)
{
	struct file_facts facts;

	if (!image)
		return false;
	if (image->script_is_long)
		return true;
	if (!image->script[0])
		return false;
	if (strcmp(path_base_name(image->script), path_base_name(guard->path)) == 0)
		return true;
	return script_find(guard->desk, inquiry->pid, image->script, &facts) == 0 &&
	       facts.key.device == inquiry->facts.key.device &&
	       facts.key.inode == inquiry->facts.key.inode;
}

static enum file_nature find_nature(struct guard *guard, const struct inquiry *inquiry,
				    const struct asker *asker)
{
	uint8_t bytes[FIRST_BYTES];
	enum file_nature nature;
	ssize_t got;

	if (!S_ISREG(inquiry->facts.mode) || inquiry->class == FILESYSTEM_USER)
		nature = FILE_DATA;
	else if (!inquiry->facts.key.size)
		return FILE_EMPTY;
	else {
		got = pread(inquiry->fd, bytes, sizeof(bytes), 0);
		/* what cannot be read may be anything */
		if (got < 0)
			return FILE_EXECUTABLE;
		nature = file_nature_of(bytes, (size_t)got, guard->path);
	}
	return nature == FILE_DATA && is_its_script(guard, inquiry, asker->image) ? FILE_CODE
										  : nature;
}

static enum judgement judge_open(struct guard *guard, struct inquiry *inquiry, struct asker *asker,
				 enum finding_kind *ret_kind)
{
	bool pinned = asker->process.image.uses & CONTENT_PINNED;
	struct asked_file file = {.nature = FILE_DATA};
	bool found = find_content(guard, inquiry, &file);

	/* terminals, /dev/null: nothing that was written to them comes back as code */
	if (S_ISCHR(inquiry->facts.mode) || S_ISDIR(inquiry->facts.mode))
		return JUDGED;
	guard->path[0] = '\0';
	if (pinned)
		read_path(guard, inquiry);
	if (!found || !file.content.uses || inquiry->file.known)
		file.nature = find_nature(guard, inquiry, asker);
	file.path = guard->path;
	if (pinned && !file.content.uses && asker->single_threaded && guard->reads_exec_arguments)
		asker->process.only_writes =
			process_opens_to_write(&guard->desk->transient, inquiry->pid);
	if (!found && program_verdict_needs_content(guard->policy, false, &file, &asker->process))
		return NEEDS_HASH;
	*ret_kind = program_verdict_open(guard->policy, &file, &asker->process);
	if (*ret_kind == FINDING_NONE && file.content.uses) {
		if (!pinned)
			read_path(guard, inquiry);
		tell_kernel(guard, inquiry, &file);
	}
	return JUDGED;
}

static void written(struct guard *guard, const struct inquiry *inquiry)
{
	verdict_cache_forget(guard->cache, inquiry->facts.key.device, inquiry->facts.key.inode);
	kernel_cache_unmark(&guard->kernel, inquiry->fd);
}

enum judgement judge(struct guard *guard, struct inquiry *inquiry, struct verdict_here *ret_verdict)
{
	bool audits = guard->config->mode == GUARD_AUDIT;
	enum judgement judgement;
	struct asker asker;

	*ret_verdict = (struct verdict_here){0};
	if (look(guard, inquiry) < 0) {
		ret_verdict->kind = FINDING_FILE_UNREADABLE;
		return JUDGED;
	}
	if (inquiry->mask & FAN_CLOSE_WRITE)
		written(guard, inquiry);
	if (!(inquiry->mask & (OPEN_BITS | EXEC_BITS)))
		return JUDGED;
	/* of what nobody waits for, the program that was started has taken its caller's place */
	if (audits && inquiry->mask & EXEC_BITS) {
		judgement = judge_exec(guard, inquiry, &ret_verdict->kind);
		if (judgement != JUDGED || ret_verdict->kind != FINDING_NONE)
			return judgement;
	}
	judgement = asker_find(guard, inquiry, &asker);
	if (judgement == JUDGED_GONE && audits) {
		asker = (struct asker){.process.is_known = true};
		judgement = JUDGED;
	}
	if (judgement != JUDGED)
		return judgement;
	if (asker.verdict != FINDING_NONE) {
		*ret_verdict = (struct verdict_here){
			.kind = asker.verdict, .kill = true, .about_image = true};
		return JUDGED;
	}
	if (!audits && inquiry->mask & EXEC_BITS)
		judgement = judge_exec(guard, inquiry, &ret_verdict->kind);
	if (judgement == JUDGED && ret_verdict->kind == FINDING_NONE && inquiry->mask & OPEN_BITS &&
	    !asker.process.is_trusted)
		judgement = judge_open(guard, inquiry, &asker, &ret_verdict->kind);
	return judgement;
}
