/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_PROCESS_CENSUS_H
#define OBSERVE_HOST_PROCESS_CENSUS_H

#include <stdbool.h>
#include <sys/types.h>

#include "observe/host/execution_join.h"
#include "observe/host/process_roster.h"
#include "observe/host/process_table.h"

/* Brings the process table in line with /proc: at the start, where events are missing, after
 * losses. What runs and was not known is reported through the join. */
struct process_census;

struct process_census_config {
	struct process_table *table;
	struct process_roster *roster;
	struct execution_join *join;
	bool process_events; /* the table is kept by events: only gaps are filled */
};

int process_census_new(const struct process_census_config *config,
		       struct process_census **ret_census);
void process_census_free(struct process_census *census);

/* first: everything that runs is reported; else what was not known and is not a mere fork. */
int process_census_take(struct process_census *census, bool first);

#endif
