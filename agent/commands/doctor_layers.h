/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_DOCTOR_LAYERS_H
#define COMMANDS_DOCTOR_LAYERS_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/capabilities.h"

#define DOCTOR_LAYERS	    6
#define DOCTOR_SURROUNDINGS 4

/* A layer of enforcement, and whether this kernel can have it. */
struct doctor_layer {
	const char *name;
	const char *does;
	bool on;
	const char *lacks; /* the name of the capability; NULL when on */
};

/* offline: what a setting or privilege decides counts as there. */
void doctor_layers(const struct capability_finding findings[CAPABILITY_COUNT], bool offline,
		   struct doctor_layer ret_layers[DOCTOR_LAYERS]);

/* Something around the program that enforcement makes use of. */
struct doctor_surrounding {
	const char *name;
	bool good;
	const char *says;
};

void doctor_surroundings(struct doctor_surrounding ret_surroundings[DOCTOR_SURROUNDINGS]);

#endif
