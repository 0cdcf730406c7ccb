/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_ROUTING_H
#define GATE_ROUTING_H

#include <stddef.h>

#include "base/address.h"
#include "rules/program.h"

/* What the kernel says of the network around: rtnetlink(7). */

#define ROUTING_OWN_MAX	     4096
#define ROUTING_GATEWAYS_MAX 64
#define ROUTING_ON_LINK_MAX  256
#define ROUTING_LINKS_MAX    4096

struct routing {
	/* each in order, none twice */
	struct ip_address *own; /* this host's addresses */
	size_t own_count;
	size_t own_capacity;
	struct ip_address *gateways; /* of the default routes of table main */
	size_t gateway_count;
	size_t gateway_capacity;
	struct rule_member *on_link; /* prefixes that are not private, none within another */
	size_t on_link_count;
	size_t on_link_capacity;
};

/* Returns 0 or negative errno. Waits for nobody but the kernel. */
int routing_read(struct routing *ret_routing);
void routing_free(struct routing *routing);

/* A non-blocking socket that becomes readable when something of it may have changed; what it says
 * need not be understood. Or negative errno. */
int routing_watch(void);

#endif
