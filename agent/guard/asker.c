/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who asks: what does it run, and does it run it as it may? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard/examiner.h"
#include "guard/guard_private.h"
#include "observe/host/named_file.h"
#include "process/process_environment.h"
#include "process/process_image.h"
#include "process/process_read.h"

/* A helper may find another file than the one that is there a moment later. */
#define EXAMINATION_ATTEMPTS 4

static bool is_trusted_pid(const struct guard *guard, pid_t pid)
{
	for (size_t i = 0; i < GUARD_TRUSTED; i++)
		if (pid == guard->config->trusted[i])
			return true;
	return pid == guard->self || examiner_is_helper(guard->desk, pid);
}

/* Forked from the supervisor or the sweeper, and still that program. */
static bool is_own_child(struct guard *guard, pid_t pid, const struct file_key *image)
{
	struct process_stat facts;

	if (image->device != guard->own_program.device ||
	    image->inode != guard->own_program.inode ||
	    process_read_stat(&guard->desk->transient, pid, &facts) < 0)
		return false;
	for (size_t i = 0; i < GUARD_TRUSTED; i++)
		if (facts.parent > 0 && facts.parent == guard->config->trusted[i])
			return true;
	return false;
}

/* No image to be found: the kernel's own, or about to be no more. */
static enum judgement judge_without_image(struct guard *guard, pid_t pid, struct asker *asker)
{
	struct process_stat facts;

	if (process_read_stat(&guard->desk->transient, pid, &facts) < 0)
		return JUDGED_GONE;
	/* the kernel starts its helpers (modprobe) from tasks that never had user space */
	if (facts.kernel_thread || (!facts.has_memory && !strchr("ZXx", facts.state))) {
		asker->process.is_trusted = true;
		return JUDGED;
	}
	return JUDGED_GONE;
}

/* The file's content as the cache knows it, or as a helper found it. */
static bool find_script(struct guard *guard, struct inquiry *inquiry, const char *name,
			struct file_result *ret_script)
{
	const struct verdict_entry *entry;
	struct file_facts facts;
	int result = script_find(guard->desk, inquiry->pid, name, &facts);

	*ret_script = (struct file_result){.known = true, .absent = true};
	if ((result < 0 && result != -EAGAIN) || (result == 0 && !S_ISREG(facts.mode))) {
		/* a learnt vector may name a stream, but what it names may not become one */
		ret_script->absent = result == -ENOENT || result == -ENOTDIR ||
				     (result == 0 && S_ISDIR(facts.mode)) ||
				     named_file_is_stream(name);
		return true;
	}
	if (result == 0) {
		entry = verdict_cache_find(guard->cache, &facts.key);
		if (entry) {
			ret_script->absent = false;
			ret_script->content = entry->content;
			return true;
		}
	}
	if (inquiry->script.known &&
	    (result < 0 || file_key_equal(&facts.key, &inquiry->script.key))) {
		*ret_script = inquiry->script;
		return true;
	}
	if (inquiry->examinations < EXAMINATION_ATTEMPTS)
		return false;
	ret_script->absent = false; /* it never stood still: unknown */
	return true;
}

enum judgement judge_arguments(struct guard *guard, struct inquiry *inquiry,
			       const struct asked_file *image, const struct content *script,
			       enum finding_kind *ret_kind, const char **ret_name)
{
	const struct content none = {0};
	const struct arguments *arguments = &guard->line.arguments;
	const char *path = program_policy_path(guard->policy, image->content.program);
	const char *name = path ? script_argument(path, arguments) : NULL;
	struct file_result found = {.absent = true};

	*ret_name = name;
	if (!script && name && !find_script(guard, inquiry, name, &found)) {
		guard->wanted = name;
		return NEEDS_SCRIPT;
	}
	*ret_kind = program_verdict_image(guard->policy, image, arguments,
					  script	 ? script
					  : found.absent ? &none
							 : &found.content);
	/* A learnt vector permits the script that was learnt with it, not what replaced that. */
	if (*ret_kind == FINDING_NONE && !script && name && !found.absent &&
	    !(found.content.uses & CONTENT_SCRIPT))
		*ret_kind = FINDING_SCRIPT_UNKNOWN;
	return JUDGED;
}

static void keep_script_name(struct image *image, const char *name)
{
	size_t length = name ? strlen(name) : 0;

	if (length >= sizeof(image->script))
		image->script_is_long = true;
	else if (name)
		memcpy(image->script, name, length + 1);
}

/* Older kernels hold a lock for it while another of its threads is in an exec, which waits for us.
 */
static bool is_given_code(struct guard *guard, const struct inquiry *inquiry,
			  const struct asked_file *file)
{
	const char *path = program_policy_path(guard->policy, file->content.program);

	return path && guard->reads_exec_arguments &&
	       process_environment_brings_code(&guard->desk->transient, inquiry->pid, path);
}

/* What it runs is pinned: so are its arguments, as they stand in its own memory now. */
static enum judgement judge_pinned(struct guard *guard, struct inquiry *inquiry,
				   struct image *image)
{
	const struct asked_file file = {
		.nature = FILE_EXECUTABLE, .hashed = true, .content = image->content, .path = ""};
	const char *name = NULL;
	enum judgement judgement;

	if (command_line_read(&guard->line, &guard->desk->transient, inquiry->pid) < 0) {
		/* nobody waits: an exec may be half done, its arguments come a moment later */
		if (guard->config->mode == GUARD_AUDIT)
			return JUDGED_GONE;
		image->verdict =
			program_verdict_image(guard->policy, &file, NULL, &(struct content){0});
		return JUDGED;
	}
	judgement = judge_arguments(guard, inquiry, &file, NULL, &image->verdict, &name);
	if (judgement != JUDGED)
		return judgement;
	keep_script_name(image, name);
	if (image->verdict == FINDING_NONE && is_given_code(guard, inquiry, &file))
		image->verdict = FINDING_ENVIRONMENT_CODE;
	return judgement;
}

/* Stack and arguments lie where they do by chance: then this is a fork of what was judged. */
static bool is_randomised(struct guard *guard, pid_t pid)
{
	char text[32];

	return guard->randomised &&
	       process_read(&guard->desk->transient, pid, "personality", text, sizeof(text)) > 0 &&
	       !(strtoul(text, NULL, 16) & ADDR_NO_RANDOMIZE);
}

static struct image *inherit(struct guard *guard, struct image *image, pid_t parent)
{
	const struct image *from = image_table_inherit(guard->images, image, parent);
	struct image copy;

	if (!from && is_randomised(guard, image->pid))
		from = image_table_inherit(guard->images, image, 0);
	if (!from || from->verdict != FINDING_NONE)
		return NULL;
	copy = *from;
	copy.pid = image->pid;
	copy.started_ns = image->started_ns;
	return image_table_add(guard->images, &copy);
}

static bool find_content(struct guard *guard, struct inquiry *inquiry,
			 const struct file_facts *facts, struct asked_file *file)
{
	const struct verdict_entry *entry = verdict_cache_find(guard->cache, &facts->key);
	const struct file_result *found = &inquiry->image_file;

	*file = (struct asked_file){.nature = FILE_EXECUTABLE, .path = ""};
	if (entry) {
		file->hashed = true;
		file->content = entry->content;
		return true;
	}
	/* its key changes with its links, too; the inode cannot while it runs */
	if (found->known && found->key.device == facts->key.device &&
	    found->key.inode == facts->key.inode) {
		file->hashed = found->hashed;
		file->why = found->why;
		file->content = found->content;
		return true;
	}
	/* no helper need wait for whoever serves it */
	if (filesystems_class(guard->filesystems, facts, inquiry->pid) == FILESYSTEM_USER) {
		file->why = FINDING_FILESYSTEM_UNTRUSTED;
		return true;
	}
	if (inquiry->examinations >= EXAMINATION_ATTEMPTS) {
		file->why = FINDING_FILE_UNREADABLE;
		return true;
	}
	return false;
}

/* While nobody waits for us a process goes on: to another program, whose arguments are no news of
 * this one, or to its end. What it became has events of its own. */
static bool has_moved_on(struct guard *guard, const struct inquiry *inquiry,
			 const struct image *image)
{
	struct process_stat process;
	struct file_facts facts;

	return process_image_facts(&guard->desk->transient, inquiry->pid, &facts) < 0 ||
	       !file_key_equal(&facts.key, &image->key) ||
	       process_read_stat(&guard->desk->transient, inquiry->pid, &process) < 0 ||
	       process.started_ns != image->started_ns || !process.image_mark ||
	       process.image_mark != image->mark;
}

static enum judgement judge_image(struct guard *guard, struct inquiry *inquiry,
				  const struct file_facts *facts, struct asker *asker)
{
	struct image image = {.pid = inquiry->pid, .key = facts->key};
	struct process_stat process;
	struct image *known;
	struct asked_file file;
	bool has_content = find_content(guard, inquiry, facts, &file);
	enum judgement judgement = JUDGED;

	if (has_content && file.hashed && !(file.content.uses & CONTENT_PINNED)) {
		asker->process.image = file.content;
		asker->verdict =
			program_verdict_image(guard->policy, &file, NULL, &(struct content){0});
		return JUDGED;
	}
	if (process_read_stat(&guard->desk->transient, inquiry->pid, &process) < 0)
		return JUDGED_GONE;
	asker->single_threaded = process.threads == 1;
	image.started_ns = process.started_ns;
	image.mark = process.image_mark;
	known = image_table_find(guard->images, &image);
	if (!known)
		known = inherit(guard, &image, process.parent);
	if (!known) {
		if (!has_content)
			return NEEDS_IMAGE;
		image.content = file.content;
		if (file.content.uses & CONTENT_PINNED)
			judgement = judge_pinned(guard, inquiry, &image);
		else
			image.verdict = program_verdict_image(guard->policy, &file, NULL,
							      &(struct content){0});
		if (judgement != JUDGED)
			return judgement;
		if (guard->config->mode == GUARD_AUDIT && image.verdict != FINDING_NONE &&
		    has_moved_on(guard, inquiry, &image))
			return JUDGED_GONE;
		known = image_table_add(guard->images, &image);
	}
	asker->process.image = known->content;
	asker->verdict = known->verdict;
	asker->image = known;
	return JUDGED;
}

enum judgement asker_find(struct guard *guard, struct inquiry *inquiry, struct asker *ret_asker)
{
	struct file_facts facts;
	enum judgement judgement;
	int result;

	*ret_asker = (struct asker){0};
	/* from outside of our process namespace: what it asks for is judged, it is not */
	if (!inquiry->pid) {
		ret_asker->process.is_known = true;
		return JUDGED;
	}
	if (is_trusted_pid(guard, inquiry->pid)) {
		ret_asker->process.is_trusted = true;
		return JUDGED;
	}
	result = process_image_facts(&guard->desk->transient, inquiry->pid, &facts);
	if (result == -ENOENT || result == -ESRCH)
		return judge_without_image(guard, inquiry->pid, ret_asker);
	if (result < 0) {
		ret_asker->verdict = FINDING_IMAGE_UNKNOWN;
		return JUDGED;
	}
	inquiry->image = facts.key;
	if (is_own_child(guard, inquiry->pid, &facts.key)) {
		ret_asker->process.is_trusted = true;
		return JUDGED;
	}
	judgement = judge_image(guard, inquiry, &facts, ret_asker);
	ret_asker->process.is_known = judgement == JUDGED && ret_asker->verdict == FINDING_NONE;
	return judgement;
}
