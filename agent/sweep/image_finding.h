/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SWEEP_IMAGE_FINDING_H
#define SWEEP_IMAGE_FINDING_H

#include "report/finding.h"
#include "sweep/image_check.h"

/* A finding of what a process runs. What only the process itself can tell, before it is ended. */
void image_finding_begin(const struct image_verdict *verdict, struct finding *ret_finding);

/* The rest, which can wait: its ancestors and how long it ran. */
void image_finding_complete(const struct image_verdict *verdict, enum finding_action action,
			    struct finding *finding);

#endif
