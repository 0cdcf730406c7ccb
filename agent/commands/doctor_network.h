/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_DOCTOR_NETWORK_H
#define COMMANDS_DOCTOR_NETWORK_H

#include <stdbool.h>

#define DOCTOR_NETWORK	    7
#define DOCTOR_NETWORK_SAYS 320

/* Something that holding connections takes, or that goes past the rules. */
struct doctor_network_row {
	const char *name;
	bool good;
	char says[DOCTOR_NETWORK_SAYS];
};

/* Tries what it takes in a network namespace of its own, which ends with the trying; what goes past
 * the rules is only looked at. Returns whether connections can be held here. */
bool doctor_network(struct doctor_network_row ret_rows[DOCTOR_NETWORK]);

#endif
