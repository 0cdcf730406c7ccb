/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sweep/image_finding.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "process/finding_gather.h"

void image_finding_begin(const struct image_verdict *verdict, struct finding *ret_finding)
{
	struct finding *finding = ret_finding;

	memset(finding, 0, sizeof(*finding));
	finding->pid = verdict->image.pid;
	finding->kind = (uint8_t)verdict->kind;
	finding->layer = (uint8_t)verdict->layer;
	finding->size = verdict->image.hidden ? 0 : (uint64_t)verdict->image.file.size;
	finding->hashed = verdict->hashed;
	memcpy(finding->sha256, verdict->sha256, sizeof(finding->sha256));
	finding_gather_program(finding);
	(void)snprintf(finding->path, sizeof(finding->path), "%s", finding->program);
	finding_gather_call(finding, NULL);
}

/* Counted from the exec if that was told, else from when the process began. */
static uint64_t age_ns(const struct image_verdict *verdict)
{
	uint64_t now_ns = clock_monotonic_ns();

	if (!verdict->exec_ns)
		return finding_age_ns(verdict->image.started_ns);
	return now_ns > verdict->exec_ns ? now_ns - verdict->exec_ns : 1;
}

void image_finding_complete(const struct image_verdict *verdict, enum finding_action action,
			    struct finding *finding)
{
	finding->since_exec_ns = age_ns(verdict);
	finding->action = (uint8_t)action;
	finding_gather_ancestors(finding, NULL, verdict->image.parent);
}
