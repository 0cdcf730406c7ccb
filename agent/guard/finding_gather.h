/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUARD_FINDING_GATHER_H
#define GUARD_FINDING_GATHER_H

#include "guard/command_line.h"
#include "guard/desk.h"
#include "report/finding.h"

/* Who did it, from /proc alone: pid must be set. In two parts, because a flood of equal ones is
 * told apart by the first. */
void finding_gather_program(struct finding *finding);
void finding_gather_process(struct finding *finding, struct desk *desk);

#endif
