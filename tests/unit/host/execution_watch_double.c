/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for the execution watch where a test runs the socket watch without one. */
#include "observe/host/execution_watch.h"

const char *execution_watch_program(struct execution_watch *watch, pid_t pid, bool *ret_left_out)
{
	(void)watch;
	(void)pid;
	*ret_left_out = false;
	return NULL;
}

bool execution_watch_ran_at(struct execution_watch *watch, pid_t pid, uint64_t time_ns)
{
	(void)watch;
	(void)pid;
	(void)time_ns;
	return true;
}

size_t execution_watch_recent(struct execution_watch *watch, pid_t *pids, size_t limit)
{
	(void)watch;
	(void)pids;
	(void)limit;
	return 0;
}
