/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_DOCTOR_REPORT_H
#define COMMANDS_DOCTOR_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "commands/doctor_layers.h"
#include "commands/doctor_network.h"
#include "commands/table.h"
#include "kernel/capabilities.h"

/* What was found, whole. */
struct doctor_result {
	const char *kernel;	      /* release and architecture, or the file's name */
	const char *security_modules; /* as /sys/kernel/security/lsm has it; "": not known */
	bool offline;
	struct capability_finding findings[CAPABILITY_COUNT];
	struct doctor_layer layers[DOCTOR_LAYERS];
	/* not offline */
	struct doctor_network_row network[DOCTOR_NETWORK];
	bool holds_connections;
	struct doctor_surrounding surroundings[DOCTOR_SURROUNDINGS];
};

/* Whether the state leaves something open. Offline, what is still to be set does not. */
bool doctor_is_gap(const struct doctor_result *result, enum capability_state state);

/* How many capabilities do, a layer is off only where one of them does; and one more where
 * connections cannot be held. */
size_t doctor_gaps(const struct doctor_result *result);

/* For people. 0 or -ENOMEM. */
int doctor_report_text(const struct doctor_result *result, const struct table_style *style,
		       FILE *out);

/* For programs: docs/doctor.md has the fields. 0 or -ENOMEM. */
int doctor_report_json(const struct doctor_result *result, FILE *out);

#endif
