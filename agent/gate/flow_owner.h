/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_FLOW_OWNER_H
#define GATE_FLOW_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "observe/observation.h"

/*
 * Whose socket a packet came from that this host sends, asked now: while the first packet is held
 * the socket is still there. Works in the network namespace it was made in.
 */
struct flow_owner;

struct flow_program {
	char *program; /* path of the executable, to be freed; NULL: nobody has such a socket, or
			  several different programs do */
	pid_t pid;     /* of one process that runs it; 0: not known */
	uint32_t user; /* effective, of that process; UINT32_MAX: not known */
};

/* Returns 0 or -ENOMEM. */
int flow_owner_new(struct flow_owner **ret_owner);
void flow_owner_free(struct flow_owner *owner);

/* local is this host's end. Returns 0 or -ENOMEM. */
int flow_owner_find(struct flow_owner *owner, const struct observed_flow *flow,
		    struct flow_program *ret_program);

/* The same for many in one pass through all processes. */
int flow_owner_find_all(struct flow_owner *owner, const struct observed_flow *flows, size_t count,
			struct flow_program *ret_programs);

void flow_program_clear(struct flow_program *program);

#endif
