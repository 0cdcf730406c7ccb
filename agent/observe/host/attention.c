/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/attention.h"

#include <sched.h>

void attention_raise(void)
{
	const struct sched_param lowest = {.sched_priority = 1};

	(void)sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest);
}

void attention_lower(void)
{
	const struct sched_param none = {0};

	if ((sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) == SCHED_RR)
		(void)sched_setscheduler(0, SCHED_OTHER, &none);
}
