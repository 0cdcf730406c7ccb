/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/process_sweep.h"

#include <errno.h>
#include <libproc2/pids.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* include/linux/sched.h: I am a kernel thread */
#define PF_KTHREAD 0x00200000UL

enum column { PID, PARENT, SESSION, USER, FLAGS, BEGAN, COLUMNS };

struct process_sweep {
	struct pids_info *info;
	uint64_t tick_ns;
};

int process_sweep_new(struct process_sweep **ret_sweep)
{
	enum pids_item items[COLUMNS] = {
		[PID] = PIDS_ID_PID,   [PARENT] = PIDS_ID_PPID, [SESSION] = PIDS_ID_SESSION,
		[USER] = PIDS_ID_EUID, [FLAGS] = PIDS_FLAGS,	[BEGAN] = PIDS_TICS_BEGAN,
	};
	struct process_sweep *sweep = calloc(1, sizeof(*sweep));
	long ticks = sysconf(_SC_CLK_TCK);
	int result;

	if (!sweep)
		return -ENOMEM;
	sweep->tick_ns = NS_PER_S / (uint64_t)(ticks > 0 ? ticks : 100);
	result = procps_pids_new(&sweep->info, items, COLUMNS);
	if (result < 0) {
		free(sweep);
		return result;
	}
	*ret_sweep = sweep;
	return 0;
}

void process_sweep_free(struct process_sweep *sweep)
{
	if (!sweep)
		return;
	(void)procps_pids_unref(&sweep->info);
	free(sweep);
}

int process_sweep_run(struct process_sweep *sweep, swept_process_fn visit, void *context)
{
	struct pids_stack *row;
	size_t count = 0;

	/* one by one: the library's tables do not grow with the number of processes */
	while ((row = procps_pids_get(sweep->info, PIDS_FETCH_TASKS_ONLY))) {
		const struct pids_result *columns = row->head;
		struct swept_process process = {
			.pid = columns[PID].result.s_int,
			.parent = columns[PARENT].result.s_int,
			.session = columns[SESSION].result.s_int,
			.user = columns[USER].result.u_int,
			.kernel_thread = columns[FLAGS].result.ul_int & PF_KTHREAD,
			.started_ns = columns[BEGAN].result.ull_int * sweep->tick_ns,
		};

		count++;
		visit(context, &process);
	}
	/* we run, so there is a process: none at all means that /proc could not be read */
	return count ? 0 : -EIO;
}
