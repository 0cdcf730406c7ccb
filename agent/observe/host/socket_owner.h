/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_SOCKET_OWNER_H
#define OBSERVE_HOST_SOCKET_OWNER_H

#include "observe/host/socket_holder.h"
#include "observe/host/socket_source.h"
#include "observe/observation.h"

/* Which sockets may have sent the first packet of a flow: one when it is connected, else all that
 * could have. Fills at most limit inodes and returns how many there are (0: none, or the kernel
 * sends such packets itself). */
size_t socket_owner_candidates(struct socket_source *source, const struct observed_flow *flow,
			       uint32_t *inodes, size_t limit);

/* The program that holds all candidates, to be freed by the caller; NULL when there is none, when
 * they are too many, or when programs differ. Returns 0 or -ENOMEM. */
int socket_owner_find(struct socket_source *source, struct socket_holder *holder,
		      const struct observed_flow *flow, uint64_t time_ns, char **ret_program,
		      bool *ret_left_out);

#endif
