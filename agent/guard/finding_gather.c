/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/finding_gather.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "guard/process_facts.h"

static uint32_t effective_user(struct desk *desk, pid_t pid)
{
	char status[1024];
	const char *line;
	uint32_t user;

	if (process_read(desk, pid, "status", status, sizeof(status)) <= 0)
		return UINT32_MAX;
	line = strstr(status, "\nUid:");
	return line && sscanf(line, "\nUid: %*u %" SCNu32, &user) == 1 ? user : UINT32_MAX;
}

static uint64_t age_ns(uint64_t started_ticks)
{
	long ticks = sysconf(_SC_CLK_TCK);
	uint64_t started_ns = ticks > 0 ? started_ticks * (NS_PER_S / (uint64_t)ticks) : 0;
	uint64_t now_ns = clock_boottime_ns();

	return now_ns > started_ns ? now_ns - started_ns : 1;
}

void finding_gather_program(struct finding *finding)
{
	finding->time_ns = clock_realtime_ns();
	process_link(finding->pid, "exe", finding->program, sizeof(finding->program));
}

void finding_gather_process(struct finding *finding, struct desk *desk)
{
	struct process_facts facts;
	ssize_t size;
	pid_t pid = finding->pid;

	finding->user = effective_user(desk, pid);
	size = process_read(desk, pid, "cmdline", finding->arguments, sizeof(finding->arguments));
	finding->arguments_size = size > 0 ? (uint16_t)size : 0;
	if (process_facts_read(desk, pid, &facts) < 0)
		return;
	if (finding->kind == FINDING_IMAGE_UNKNOWN || finding->kind == FINDING_ARGUMENTS_UNKNOWN)
		finding->since_exec_ns = age_ns(facts.started_ticks);
	for (size_t i = 0; i < FINDING_ANCESTORS && facts.parent > 0; i++) {
		pid = facts.parent;
		process_link(pid, "exe", finding->ancestors[i], sizeof(finding->ancestors[i]));
		if (process_facts_read(desk, pid, &facts) < 0)
			break;
	}
}
