/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What follows from a verdict: the finding, the end of a process, the answer. */
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "guard/guard_private.h"
#include "process/finding_gather.h"
#include "process/process_end.h"
#include "process/process_read.h"

static void reply(struct guard *guard, const struct inquiry *inquiry, uint32_t response)
{
	struct fanotify_response message = {.fd = inquiry->fd, .response = response};
	struct desk *desk = guard->desk;
	uint64_t took_ns;

	if (guard->config->mode != GUARD_ENFORCE ||
	    !(inquiry->mask & (FAN_OPEN_PERM | FAN_OPEN_EXEC_PERM)))
		return;
	/* -ENOENT: who asked was killed, or the guard before us answered */
	(void)!write(guard->config->fanotify, &message, sizeof(message));
	took_ns = clock_monotonic_ns() - inquiry->since_ns;
	if (took_ns > desk->longest_ns)
		desk->longest_ns = took_ns;
	if (response == FAN_ALLOW)
		desk->permitted++;
	else
		desk->denied++;
}

static void describe_file(struct guard *guard, const struct inquiry *inquiry,
			  const struct verdict_here *verdict, struct finding *finding)
{
	const struct file_result *result =
		verdict->about_image ? &inquiry->image_file : &inquiry->file;
	const struct file_key *key = verdict->about_image ? &inquiry->image : &inquiry->facts.key;
	const struct verdict_entry *entry = verdict_cache_find(guard->cache, key);
	char name[32];

	finding->size = (uint64_t)key->size;
	if (result->known && result->hashed) {
		finding->hashed = 1;
		memcpy(finding->sha256, result->sha256, sizeof(finding->sha256));
	} else if (entry) {
		finding->hashed = 1;
		memcpy(finding->sha256, entry->sha256, sizeof(finding->sha256));
	}
	(void)snprintf(name, sizeof(name), "fd/%d", inquiry->fd);
	if (verdict->about_image)
		process_read_link(inquiry->pid, "exe", finding->path, sizeof(finding->path));
	else
		process_read_link(getpid(), name, finding->path, sizeof(finding->path));
}

static void gather_process(struct guard *guard, struct finding *finding)
{
	struct transient *transient = &guard->desk->transient;
	struct process_stat status;

	finding_gather_call(finding, transient);
	if (process_read_stat(transient, finding->pid, &status) < 0)
		return;
	if (finding->kind == FINDING_IMAGE_UNKNOWN || finding->kind == FINDING_ARGUMENTS_UNKNOWN)
		finding->since_exec_ns = finding_age_ns(status.started_ns);
	finding_gather_ancestors(finding, transient, status.parent);
}

/* What was refused is the new program with these arguments, not the one that asked. */
static void take_exec_arguments(const struct guard *guard, struct finding *finding)
{
	size_t size = guard->line.size < sizeof(finding->arguments) ? guard->line.size
								    : sizeof(finding->arguments);

	memcpy(finding->arguments, guard->line.bytes, size);
	finding->arguments_size = (uint16_t)size;
	finding->since_exec_ns = 0;
}

static void report(struct guard *guard, const struct inquiry *inquiry,
		   const struct verdict_here *verdict)
{
	bool enforces = guard->config->mode == GUARD_ENFORCE;
	struct finding finding = {
		.pid = inquiry->pid,
		.user = UINT32_MAX,
		.kind = (uint8_t)verdict->kind,
		.layer = LAYER_PERMISSION,
		.action = !enforces	  ? ACTION_REPORTED
			  : verdict->kill ? ACTION_KILLED
					  : ACTION_DENIED,
	};

	describe_file(guard, inquiry, verdict, &finding);
	finding_gather_program(&finding);
	if (finding_outbox_has_room(&guard->outbox))
		gather_process(guard, &finding);
	if (verdict->kind == FINDING_ARGUMENTS_UNKNOWN && !verdict->about_image)
		take_exec_arguments(guard, &finding);
	finding_outbox_put(&guard->outbox, &finding,
			   guard->config->pass_files && !verdict->about_image ? inquiry->fd : -1);
}

static bool end_asker(struct guard *guard, const struct inquiry *inquiry)
{
	const struct process_image image = {.pid = inquiry->pid, .file = inquiry->image};

	return process_end(&guard->desk->transient, &image) == 0;
}

void answer(struct guard *guard, const struct inquiry *inquiry, const struct verdict_here *verdict)
{
	if (verdict->kind == FINDING_NONE) {
		reply(guard, inquiry, FAN_ALLOW);
		return;
	}
	report(guard, inquiry, verdict);
	if (verdict->kill && guard->config->mode == GUARD_ENFORCE && end_asker(guard, inquiry))
		guard->desk->killed++;
	reply(guard, inquiry, FAN_DENY);
}

void answer_unseen(struct guard *guard, const struct inquiry *inquiry)
{
	const struct verdict_here verdict = {.kind = FINDING_FILE_UNREADABLE};

	guard->desk->unseen++;
	reply(guard, inquiry, FAN_DENY);
	report(guard, inquiry, &verdict);
}
