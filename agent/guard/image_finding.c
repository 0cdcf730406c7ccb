/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/image_finding.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "observe/host/process_info.h"

/* The link's words, as far as they fit, without the kernel's " (deleted)". A file that really is
 * called so is shown without it: the name is a label. */
static void program_of(pid_t pid, char *path, size_t size)
{
	static const char mark[] = " (deleted)";
	const ssize_t mark_length = sizeof(mark) - 1;
	char link[64];
	ssize_t length;

	(void)snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	length = readlink(link, path, size - 1);
	if (length < 0)
		length = 0;
	if (length > mark_length && memcmp(path + length - mark_length, mark, mark_length) == 0)
		length -= mark_length;
	path[length] = '\0';
}

static void ancestors_of(pid_t parent, struct finding *finding)
{
	for (size_t i = 0; i < FINDING_ANCESTORS && parent > 0; i++) {
		struct process_stat status;

		program_of(parent, finding->ancestors[i], sizeof(finding->ancestors[i]));
		if (process_stat_read(parent, &status) < 0 || status.kernel_thread)
			return;
		parent = status.parent;
	}
}

void image_finding_begin(const struct image_verdict *verdict, struct finding *ret_finding)
{
	struct finding *finding = ret_finding;
	pid_t pid = verdict->image.pid;
	ssize_t size;

	memset(finding, 0, sizeof(*finding));
	finding->pid = pid;
	finding->kind = (uint8_t)verdict->kind;
	finding->layer = (uint8_t)verdict->layer;
	finding->size = verdict->image.hidden ? 0 : (uint64_t)verdict->image.file.size;
	finding->hashed = verdict->hashed;
	memcpy(finding->sha256, verdict->sha256, sizeof(finding->sha256));
	program_of(pid, finding->path, sizeof(finding->path));
	(void)snprintf(finding->program, sizeof(finding->program), "%s", finding->path);
	size = process_file_read(pid, "cmdline", finding->arguments, sizeof(finding->arguments));
	finding->arguments_size = size > 0 ? (uint16_t)size : 0;
	if (process_user_read(pid, &finding->user) < 0)
		finding->user = UINT32_MAX;
}

/* Counted from the exec if that was told, else from when the process began. */
static uint64_t age_ns(const struct image_verdict *verdict)
{
	uint64_t began_ns = verdict->exec_ns ? verdict->exec_ns : verdict->image.started_ns;
	uint64_t now_ns = verdict->exec_ns ? clock_monotonic_ns() : clock_boottime_ns();

	/* 0 says that it never ran */
	return now_ns > began_ns ? now_ns - began_ns : 1;
}

void image_finding_complete(const struct image_verdict *verdict, enum finding_action action,
			    struct finding *finding)
{
	finding->since_exec_ns = age_ns(verdict);
	finding->time_ns = clock_realtime_ns();
	finding->action = (uint8_t)action;
	ancestors_of(verdict->image.parent, finding);
}
