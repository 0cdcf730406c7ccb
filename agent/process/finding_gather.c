/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/finding_gather.h"

#include "base/clock.h"
#include "process/process_read.h"

void finding_gather_program(struct finding *finding)
{
	finding->time_ns = clock_realtime_ns();
	process_read_link(finding->pid, "exe", finding->program, sizeof(finding->program));
}

void finding_gather_call(struct finding *finding, struct transient *transient)
{
	ssize_t size = process_read(transient, finding->pid, "cmdline", finding->arguments,
				    sizeof(finding->arguments));

	finding->arguments_size = size > 0 ? (uint16_t)size : 0;
	finding->user = process_read_user(transient, finding->pid);
}

void finding_gather_ancestors(struct finding *finding, struct transient *transient, pid_t parent)
{
	for (size_t i = 0; i < FINDING_ANCESTORS && parent > 0; i++) {
		struct process_stat status;

		process_read_link(parent, "exe", finding->ancestors[i],
				  sizeof(finding->ancestors[i]));
		if (process_read_stat(transient, parent, &status) < 0 || status.kernel_thread)
			return;
		parent = status.parent;
	}
}

uint64_t finding_age_ns(uint64_t began_ns)
{
	uint64_t now_ns = clock_boottime_ns();

	return now_ns > began_ns ? now_ns - began_ns : 1;
}
