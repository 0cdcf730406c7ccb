/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROCESS_FINDING_GATHER_H
#define PROCESS_FINDING_GATHER_H

#include <sys/types.h>

#include "process/transient.h"
#include "report/finding.h"

/* Who did it, from /proc alone: finding->pid must be set. In parts, because a flood of equal ones
 * is told apart by the first, and an ended process's ancestors can still be found. */

/* The time and the program. */
void finding_gather_program(struct finding *finding);

/* What only the process itself can tell: its user and its arguments. */
void finding_gather_call(struct finding *finding, struct transient *transient);

/* Its parents' programs, the nearest first. */
void finding_gather_ancestors(struct finding *finding, struct transient *transient, pid_t parent);

/* How long something that began then (CLOCK_BOOTTIME) has been running; never 0, which says that it
 * did not run. */
uint64_t finding_age_ns(uint64_t began_ns);

#endif
