/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/process_sweep.h"

#include <errno.h>
#include <libproc2/pids.h>
#include <unistd.h>

#include "base/clock.h"

/* include/linux/sched.h: I am a kernel thread */
#define PF_KTHREAD 0x00200000UL

enum column { PID, PARENT, SESSION, USER, FLAGS, BEGAN, COLUMNS };

int process_sweep_run(swept_process_fn visit, void *context)
{
	enum pids_item items[COLUMNS] = {
		[PID] = PIDS_ID_PID,   [PARENT] = PIDS_ID_PPID, [SESSION] = PIDS_ID_SESSION,
		[USER] = PIDS_ID_EUID, [FLAGS] = PIDS_FLAGS,	[BEGAN] = PIDS_TICS_BEGAN,
	};
	long ticks = sysconf(_SC_CLK_TCK);
	uint64_t tick_ns = NS_PER_S / (uint64_t)(ticks > 0 ? ticks : 100);
	struct pids_info *info = NULL;
	struct pids_stack *row;
	size_t count = 0;
	int result;

	/* procps_pids_get() goes through /proc once in the life of an info */
	result = procps_pids_new(&info, items, COLUMNS);
	if (result < 0)
		return result;
	/* one by one: the library's tables do not grow with the number of processes */
	while ((row = procps_pids_get(info, PIDS_FETCH_TASKS_ONLY))) {
		const struct pids_result *columns = row->head;
		struct swept_process process = {
			.pid = columns[PID].result.s_int,
			.parent = columns[PARENT].result.s_int,
			.session = columns[SESSION].result.s_int,
			.user = columns[USER].result.u_int,
			.kernel_thread = columns[FLAGS].result.ul_int & PF_KTHREAD,
			.started_ns = columns[BEGAN].result.ull_int * tick_ns,
		};

		count++;
		visit(context, &process);
	}
	(void)procps_pids_unref(&info);
	/* we run, so there is a process: none at all means that /proc could not be read */
	return count ? 0 : -EIO;
}
